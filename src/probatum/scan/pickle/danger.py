"""Globals that attacks use. The list only raises the severity of what is not allowed anyway; it grants nothing."""

from __future__ import annotations

from probatum.scan.words import words

#: A global in one of these modules, or in one below it, or that walks through an attribute of this name.
MODULES = words(
    """
    os posix nt posixpath ntpath sys subprocess _posixsubprocess multiprocessing pty tty fcntl socket _socket
    ssl socketserver asyncio selectors ctypes _ctypes cffi mmap signal resource runpy code codeop pdb bdb
    cProfile profile trace timeit doctest importlib _imp imp zipimport pkgutil pip ensurepip setuptools
    distutils venv site webbrowser antigravity shutil tempfile glob fileinput zipfile tarfile ftplib http urllib
    smtplib poplib imaplib telnetlib nntplib xmlrpc requests aiohttp httpx pickle _pickle cPickle dill
    cloudpickle marshal shelve dbm sqlite3 inspect gc atexit commands popen2 platform pydoc idlelib lib2to3 test
    unittest _testcapi _testinternalcapi _pyrepl _osx_support _aix_support logging.config operator _operator
    torch.hub torch.utils.cpp_extension torch.package torch.jit torch.multiprocessing torch._inductor
    torch._dynamo numpy.testing numpy.distutils numpy.f2py numpy.ctypeslib
    """
)
#: A name, or a part of a dotted name, in whatever module.
NAMES = words(
    """
    eval exec execfile compile __import__ import_module system popen Popen spawn spawnl spawnv spawnve
    spawnv_passfds getattr setattr delattr hasattr vars globals locals open input breakpoint apply attrgetter
    methodcaller partial reduce add_extension run_path run_module run_code resolve_name exec_module load_module
    getoutput getstatusoutput check_output check_call fork execv execve execl remove unlink rmtree __globals__
    __builtins__ __subclasses__ __bases__ __mro__ __class__ __dict__ __code__ __getattribute__ __loader__
    __reduce__ __reduce_ex__ __setstate__ __init_subclass__ modules _load_from_bytes load_library CDLL load
    loads _load fromfile memmap read_pickle _get_command_stdout runstring runeval _run_entry_point
    """
)


def is_dangerous(module: str, name: str) -> bool:
    """Is this global a known tool of attacks? Every prefix of the module and every part of the name is looked at."""
    parts = module.split(".")
    if any(".".join(parts[: n + 1]) in MODULES for n in range(min(len(parts), 8))):
        return True
    pieces = name.split(".")[:16]
    return any(p in NAMES for p in pieces) or (len(pieces) > 1 and any(p.lstrip("_") in MODULES for p in pieces))
