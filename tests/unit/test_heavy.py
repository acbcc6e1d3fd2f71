"""A thread that begins while another imports the trainer gets the whole of it."""

import subprocess
import sys

CODE = """
import sys, threading
from easymodel_nb.train.heavy import import_trainer

failures = []
def begin():
    try:
        import_trainer()
        from transformers import AutoModelForCausalLM, Trainer
    except BaseException as error:
        failures.append(error)

def begin_in_the_middle():
    while "transformers" not in sys.modules:
        pass
    begin()

threads = [threading.Thread(target=work) for work in (begin, begin_in_the_middle)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failures)
"""


def test_a_thread_waits_for_an_import_under_way():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
