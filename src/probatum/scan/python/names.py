"""Where data comes from and where it does harm, by dotted names. The lists raise severity; they never lower it."""

from __future__ import annotations

from probatum.scan.words import words

#: Sinks: kind -> exact names, or prefixes that end with a dot.
SINKS: dict[str, frozenset[str]] = {
    "run code": words(
        """
        exec eval builtins.exec builtins.eval marshal.loads marshal.load runpy. code.InteractiveInterpreter
        code.InteractiveConsole code.interact types.FunctionType types.CodeType types.LambdaType timeit.timeit
        execfile __builtin__.eval __builtin__.exec exec_module
        """
    ),
    "start a process": words(
        """
        os.system os.popen os.popen2 os.popen3 os.startfile os.execl os.execle os.execlp os.execv os.execve os.execvp
        os.execvpe os.spawnl os.spawnle os.spawnlp os.spawnv os.spawnve os.spawnvp os.posix_spawn os.posix_spawnp
        posix.system posix.popen nt.system subprocess. pty.spawn commands. popen2. asyncio.create_subprocess_shell
        asyncio.create_subprocess_exec sh. pexpect. pip.main pip._internal.main pip._internal.cli.
        """
    ),
    "unpickle": words(
        """
        pickle.load pickle.loads pickle.Unpickler _pickle.load _pickle.loads cPickle.load cPickle.loads dill.load
        dill.loads cloudpickle.load cloudpickle.loads joblib.load torch.load pandas.read_pickle shelve.open
        yaml.unsafe_load yaml.full_load jsonpickle.decode torch.hub.load
        """
    ),
    "load native code": words(
        """
        ctypes. _ctypes. cffi. torch.ops.load_library torch.classes.load_library torch.utils.cpp_extension.
        tensorflow.load_op_library
        """
    ),
    "use the network": words(
        """
        socket.socket socket.create_connection requests. urllib.request. urllib2. urllib3. http.client. httplib. ftplib.
        smtplib. telnetlib. httpx. aiohttp. websocket. websockets. paramiko. xmlrpc.client. webbrowser. pycurl. wget.
        """
    ),
    "change files": words(
        "os.remove os.unlink os.rmdir os.removedirs shutil.rmtree os.chmod os.rename os.symlink shutil.move"
    ),
    "import by name": words("importlib.import_module __import__ importlib.__import__ imp.load_source imp.load_module"),
}
#: Sources: label -> names as above.
SOURCES: dict[str, frozenset[str]] = {
    "network": words(
        """
        requests. urllib.request.urlopen urllib.request.Request urllib2.urlopen httpx. http.client. httplib. socket.
        ftplib. aiohttp. websocket. websockets. xmlrpc.client. urllib3.
        """
    ),
    "download": words(
        """
        urllib.request.urlretrieve wget.download huggingface_hub. torch.hub.download_url_to_file
        torch.hub.load_state_dict_from_url
        """
    ),
    "environment": words("os.environ os.getenv os.environb posix.environ"),
    "decoded constant": words(
        """
        base64. zlib.decompress bz2.decompress lzma.decompress gzip.decompress binascii.unhexlify binascii.a2b_base64
        bytes.fromhex bytearray.fromhex codecs.decode marshal.loads
        """
    ),
    "file": words("open io.open codecs.open pathlib.Path os.listdir os.walk os.scandir glob. os.path.expanduser"),
    "input": words("input raw_input sys.argv sys.stdin"),
}
#: Results of these hold nothing of what went in.
CLEAN = words("int float bool len isinstance hasattr id hash type range")
#: Marks of places where credentials lie.
SECRET = words(
    """
    .ssh/ id_rsa id_ed25519 .aws/ .netrc .git-credentials .kube/ .docker/config .huggingface/token
    .cache/huggingface/token .pypirc .npmrc /etc/passwd /etc/shadow .bash_history wallet.dat Cookies
    """
)
#: What a module may call while it is imported without a word: declarations and loggers.
QUIET = words(
    """
    typing. logging.getLogger logging.get_logger transformers.utils.logging. collections.namedtuple dataclasses.
    enum. functools. abc. torch.nn. torch.float torch.device torch.tensor torch.jit.script torch.no_grad torch.finfo
    re.compile property staticmethod classmethod set frozenset dict list tuple int float str bool len range zip
    enumerate sorted min max sum isinstance hasattr super object print type map filter any all abs round
    transformers.utils. warnings.filterwarnings warnings.warn importlib.util.find_spec importlib.metadata. os.path.
    math. numpy. collections. itertools. pathlib. packaging.version. TypeVar contextlib. operator. pytest. setuptools.
    """
)
#: Commands that only show that code could run.
HARMLESS = words("echo touch calc calc.exe whoami id ls dir ping true sleep xcalc hostname uname")


def kind_of(name: str, table: dict[str, frozenset[str]]) -> str:
    """The kind of a dotted name in a table, or ""."""
    return next((kind for kind, names in table.items() if listed(name, names)), "")


def listed(name: str, names: frozenset[str]) -> bool:
    """Is a name, or a package of it (written with a dot at the end), in a set?"""
    if name in names:
        return True
    at = name.find(".")
    while at >= 0:
        if name[: at + 1] in names:
            return True
        at = name.find(".", at + 1)
    return False
