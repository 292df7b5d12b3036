"""The calls of the protocol."""

import threading

from . import persistence_pb2 as pb
from . import persistence_pb2_grpc
from .failure import Failure, told
from .store import Store


class Service(persistence_pb2_grpc.PersistenceServicer):
    def __init__(self, name):
        self.name = name
        self.stores = {}
        self.last = 0
        self.stores_lock = threading.Lock()
        self.writing = threading.Lock()  # one for all: two stores may have one path

    @told
    def Describe(self, request):
        return pb.DescribeResponse(name=self.name, version="1", platforms=["linux", "darwin", "freebsd"])

    @told
    def Open(self, request):
        if request.settings or request.secrets or request.environment:
            raise Failure(pb.ERROR_KIND_INVALID, "there are no settings")
        store = Store(request.path)
        with self.stores_lock:
            self.last += 1
            self.stores[self.last] = store
            return pb.OpenResponse(store=self.last, info=store.info())

    @told
    def Load(self, request):
        data, version = self.store(request).load(request.key)
        if not data:
            raise Failure(pb.ERROR_KIND_NOT_FOUND)
        if version == request.have:
            return pb.LoadResponse(version=version, unchanged=True)
        return pb.LoadResponse(data=data, version=version)

    @told
    def Save(self, request):
        store = self.store(request)
        with self.writing:
            return pb.SaveResponse(version=store.save(request.key, request.data, request.base))

    @told
    def Delete(self, request):
        store = self.store(request)
        with self.writing:
            store.delete(request.key, request.base)
        return pb.DeleteResponse()

    @told
    def Keys(self, request):
        for key, status in self.store(request).keys(request.prefix):
            seconds, nanos = divmod(status.st_mtime_ns, 1_000_000_000)
            yield pb.KeysResponse(
                key=key, size=status.st_size, modified_unix_seconds=seconds, modified_nanos=nanos)

    @told
    def Close(self, request):
        with self.stores_lock:
            self.stores.pop(request.store, None)
        return pb.CloseResponse()

    def store(self, request):
        with self.stores_lock:
            store = self.stores.get(request.store)
        if store is None:
            raise Failure(pb.ERROR_KIND_CLOSED)
        return store
