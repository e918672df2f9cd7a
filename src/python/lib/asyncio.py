"""One event loop for every request of a run.

The loop has no clock and no sockets of its own: a task waits either for another future or for a `Wait`, which the
simulation answers. Tasks are stepped in the order in which they became ready, as CPython's loop steps them.
"""

from _collections import deque
from _twoam import (
    Wait, drop, enter, entered, failed, finish, log, monotonic, running, sleep_wait, soon, start_timer, step_now, step_soon,
    stepper, timer_wait,
)

__all__ = [
    "ALL_COMPLETED", "AbstractEventLoop", "BoundedSemaphore", "CancelledError", "Condition", "Event", "FIRST_COMPLETED",
    "FIRST_EXCEPTION", "Future", "InvalidStateError", "Lock", "Queue", "QueueEmpty", "QueueFull", "Semaphore", "Task",
    "TaskGroup", "Timeout", "TimeoutError", "all_tasks", "as_completed", "create_task", "current_task", "ensure_future",
    "gather", "get_event_loop", "get_running_loop", "iscoroutine", "iscoroutinefunction", "isfuture", "run", "shield",
    "sleep", "timeout", "timeout_at", "wait", "wait_for",
]

TimeoutError = TimeoutError
FIRST_COMPLETED = "FIRST_COMPLETED"
FIRST_EXCEPTION = "FIRST_EXCEPTION"
ALL_COMPLETED = "ALL_COMPLETED"


class CancelledError(BaseException):
    """The task was cancelled."""

    __module__ = "asyncio"


class InvalidStateError(Exception):
    """The operation is not allowed in this state."""

    __module__ = "asyncio"


_names = 0
_PENDING = 0
_CANCELLED = 1
_FINISHED = 2


class Future:
    """What will be known later."""

    __slots__ = ("_state", "_result", "_exception", "_callbacks", "_message", "_retrieved", "__weakref__")

    def __init__(self, *, loop=None):
        self._state = _PENDING
        self._result = None
        self._exception = None
        self._callbacks = None
        self._message = None

    def __repr__(self):
        return f"<{type(self).__name__} {('pending', 'cancelled', 'finished')[self._state]}>"

    def get_loop(self):
        return _loop

    def done(self):
        return self._state != _PENDING

    def cancelled(self):
        return self._state == _CANCELLED

    def result(self):
        if self._state == _FINISHED:
            if self._exception is None:
                return self._result
            self._retrieved = True
            raise self._exception
        if self._state == _CANCELLED:
            raise self._cancelled_error()
        raise InvalidStateError("Result is not set.")

    def exception(self):
        if self._state == _FINISHED:
            self._retrieved = True
            return self._exception
        if self._state == _CANCELLED:
            raise self._cancelled_error()
        raise InvalidStateError("Exception is not set.")

    def set_result(self, result):
        if self._state != _PENDING:
            raise InvalidStateError("invalid state")
        self._result = result
        self._settle(_FINISHED)

    def set_exception(self, exception):
        if self._state != _PENDING:
            raise InvalidStateError("invalid state")
        if isinstance(exception, type):
            exception = exception()
        if isinstance(exception, StopIteration):
            raise TypeError("StopIteration interacts badly with generators and cannot be raised into a Future")
        self._exception = exception
        self._settle(_FINISHED)

    def cancel(self, msg=None):
        if self._state != _PENDING:
            return False
        self._message = msg
        self._settle(_CANCELLED)
        return True

    def add_done_callback(self, callback, *, context=None):
        if self._state != _PENDING:
            soon(callback, self)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    def remove_done_callback(self, callback):
        kept = [known for known in self._callbacks or () if known != callback]
        removed = len(self._callbacks or ()) - len(kept)
        self._callbacks = kept
        return removed

    def __await__(self):
        if self._state == _PENDING:
            yield self
        return self.result()

    __iter__ = __await__

    def _settle(self, state):
        self._state = state
        callbacks = self._callbacks
        if callbacks:
            self._callbacks = None
            for callback in callbacks:
                soon(callback, self)

    def _cancelled_error(self):
        return CancelledError() if self._message is None else CancelledError(self._message)


class Task(Future):
    """A coroutine that is stepped from await to await. It acts for the request that created it."""

    __slots__ = ("_stepper", "_name", "_cancels")

    def __init__(self, coro, *, loop=None, name=None, context=None, eager_start=None):
        self._state = _PENDING
        self._result = self._exception = self._callbacks = self._message = None
        self._retrieved = False
        if not hasattr(coro, "send"):
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        self._name = name
        self._cancels = 0
        self._stepper = stepper(coro, self)

    def __repr__(self):
        return f"<Task {('pending', 'cancelled', 'finished')[self._state]} name={self.get_name()!r}>"

    def get_name(self):
        global _names
        if self._name is None:
            _names += 1
            self._name = f"Task-{_names}"
        return self._name

    def set_name(self, name):
        self._name = str(name)

    def get_coro(self):
        return self._stepper.coroutine

    def set_result(self, result):
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception):
        raise RuntimeError("Task does not support set_exception operation")

    def cancel(self, msg=None):
        if self._state != _PENDING:
            return False
        self._cancels += 1
        self._message = msg
        stepper = self._stepper
        waits = stepper.waits
        if waits is not None:
            if type(waits) is Wait:
                drop(waits)
                stepper.waits = None
                step_soon(stepper, self._cancelled_error())
                return True
            if waits.cancel(msg=msg):
                return True
        stepper.must_cancel = True
        return True

    def cancelling(self):
        return self._cancels

    def uncancel(self):
        if self._cancels > 0:
            self._cancels -= 1
            if self._cancels == 0:
                self._stepper.must_cancel = False
        return self._cancels

    def _woken(self, future):
        """The awaited future is done: its result, or its exception, is taken at the await itself."""
        step_now(self._stepper)

    def _stand_at(self, awaited):
        if not isinstance(awaited, Future):
            step_soon(self._stepper, RuntimeError(f"Task got bad yield: {awaited!r}"))
        elif awaited is self:
            step_soon(self._stepper, RuntimeError(f"Task cannot await on itself: {self!r}"))
        else:
            awaited.add_done_callback(self._woken)
            stepper = self._stepper
            stepper.waits = awaited
            if stepper.must_cancel and awaited.cancel(msg=self._message):
                stepper.must_cancel = False

    def _returned(self, result):
        if self._stepper.must_cancel:
            self._settle(_CANCELLED)
        else:
            self._result = result
            self._settle(_FINISHED)

    def _raised(self, exception):
        self._exception = exception
        self._settle(_CANCELLED if isinstance(exception, CancelledError) else _FINISHED)

    def __del__(self):
        if self._state == _FINISHED and self._exception is not None and not self._retrieved:
            enter(self._stepper.origin)
            from traceback import format_exception

            log(40, "Task exception was never retrieved\n" + "".join(format_exception(self._exception)).rstrip())


class _Request(Task):
    """The task that runs a handler. How it ends is the request's outcome."""

    __slots__ = ()

    def _returned(self, result):
        origin = self._stepper.origin
        Task._returned(self, result)
        if self._state == _FINISHED:
            finish(origin, result)
        else:
            failed(origin, self._cancelled_error())

    def _raised(self, exception):
        self._retrieved = True
        Task._raised(self, exception)
        failed(self._stepper.origin, exception)


def _start(origin, handler, arguments):
    enter(origin)
    _Request(handler(**arguments))


def _close_later(generator):
    """An asynchronous generator nobody iterates any more still runs its `finally` blocks, in a task of their own."""
    origin = entered()
    if origin is not None:
        soon(_close, (generator, origin))


def _close(abandoned):
    generator, origin = abandoned
    enter(origin)
    Task(generator.aclose())


class Handle:
    """A callback that was asked for."""

    __slots__ = ("_callback", "_arguments", "_wait")

    def __init__(self, callback, arguments):
        self._callback = callback
        self._arguments = arguments
        self._wait = None

    def cancel(self):
        self._callback = None
        if self._wait is not None:
            drop(self._wait)
            self._wait = None

    def cancelled(self):
        return self._callback is None

    def _ring(self, _=None):
        self._wait = None
        callback, self._callback = self._callback, None
        if callback is not None:
            callback(*self._arguments)


TimerHandle = Handle


class AbstractEventLoop:
    """The loop as code asks for it; everything runs on the one loop of the run."""

    def time(self):
        return monotonic()

    def is_running(self):
        return True

    def is_closed(self):
        return False

    def get_debug(self):
        return False

    def create_future(self):
        return Future()

    def create_task(self, coro, *, name=None, context=None):
        return Task(coro, name=name)

    def call_soon(self, callback, *args, context=None):
        handle = Handle(callback, args)
        soon(handle._ring, None)
        return handle

    def call_later(self, delay, callback, *args, context=None):
        if delay <= 0:
            return self.call_soon(callback, *args)
        handle = Handle(callback, args)
        handle._wait = timer_wait(delay)
        start_timer(handle._wait, handle)
        return handle

    def call_at(self, when, callback, *args, context=None):
        return self.call_later(when - monotonic(), callback, *args)

    def run_in_executor(self, executor, function, *args):
        raise NotImplementedError("there are no threads here: call the function itself, or await something")

    def run_until_complete(self, future):
        raise RuntimeError("This event loop is already running")


_loop = AbstractEventLoop()


def get_running_loop():
    if running() is None:
        raise RuntimeError("no running event loop")
    return _loop


def get_event_loop():
    return _loop


def run(main, *, debug=None, loop_factory=None):
    raise RuntimeError("asyncio.run() cannot be called from a running event loop: handlers already run in one")


def current_task(loop=None):
    return running()


def all_tasks(loop=None):
    task = running()
    return set() if task is None else {task}


def create_task(coro, *, name=None, context=None, **kwargs):
    if entered() is None:
        raise RuntimeError("no running event loop")
    return Task(coro, name=name)


def iscoroutine(value):
    return type(value).__name__ == "coroutine"


def iscoroutinefunction(function):
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and bool(code.co_flags & 0x80)


def isfuture(value):
    return isinstance(value, Future)


async def _until(awaitable):
    return await awaitable


def ensure_future(awaitable, *, loop=None):
    if isinstance(awaitable, Future):
        return awaitable
    if iscoroutine(awaitable):
        return Task(awaitable)
    if hasattr(awaitable, "__await__"):
        return Task(_until(awaitable))
    raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")


class _Yield:
    def __await__(self):
        yield


async def sleep(delay, result=None):
    if delay <= 0:
        await _Yield()
    else:
        await sleep_wait(delay)
    return result


async def to_thread(function, /, *args, **kwargs):
    raise NotImplementedError("there are no threads here: call the function itself, or await something")


class _Gathering(Future):
    __slots__ = ("_children", "_asked")

    def __init__(self, children):
        Future.__init__(self)
        self._children = children
        self._asked = False

    def cancel(self, msg=None):
        if self._state != _PENDING:
            return False
        cancelled = False
        for child in self._children:
            if child.cancel(msg=msg):
                cancelled = True
        if cancelled:
            self._asked = True
            self._message = msg
        return cancelled


def gather(*awaitables, return_exceptions=False):
    if not awaitables:
        outer = Future()
        outer.set_result([])
        return outer
    known = {}
    children = []
    for awaitable in awaitables:
        child = known.get(id(awaitable))
        if child is None:
            child = known[id(awaitable)] = ensure_future(awaitable)
        children.append(child)
    outer = _Gathering(children)
    left = len(known)

    def finished(child):
        nonlocal left
        left -= 1
        if outer._state != _PENDING:
            if not child.cancelled():
                child.exception()
            return
        if not return_exceptions:
            if child.cancelled():
                outer.set_exception(child._cancelled_error())
                return
            raised = child.exception()
            if raised is not None:
                outer.set_exception(raised)
                return
        if left == 0:
            results = []
            for each in children:
                if each.cancelled():
                    results.append(each._cancelled_error())
                else:
                    raised = each.exception()
                    results.append(each._result if raised is None else raised)
            if outer._asked:
                outer.set_exception(outer._cancelled_error())
            else:
                outer.set_result(results)

    for child in known.values():
        child.add_done_callback(finished)
    return outer


def shield(awaitable):
    inner = ensure_future(awaitable)
    if inner.done():
        return inner
    outer = Future()

    def inner_done(inner):
        if outer._state != _PENDING:
            if not inner.cancelled():
                inner.exception()
        elif inner.cancelled():
            outer.cancel()
        else:
            raised = inner.exception()
            if raised is None:
                outer.set_result(inner._result)
            else:
                outer.set_exception(raised)

    def outer_done(outer):
        if not inner.done():
            inner.remove_done_callback(inner_done)

    inner.add_done_callback(inner_done)
    outer.add_done_callback(outer_done)
    return outer


class Timeout:
    """`async with asyncio.timeout(…)`: cancels the task at its deadline and makes a TimeoutError of it."""

    def __init__(self, when):
        self._when = when
        self._handle = None
        self._task = None
        self._expired = False

    def when(self):
        return self._when

    def expired(self):
        return self._expired

    def reschedule(self, when):
        if self._task is None:
            raise RuntimeError("Timeout has not been entered")
        self._when = when
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if when is not None:
            self._handle = _loop.call_later(when - monotonic(), self._expire)

    def _expire(self):
        self._handle = None
        self._expired = True
        self._task.cancel()

    async def __aenter__(self):
        if self._task is not None:
            raise RuntimeError("Timeout has already been entered")
        task = current_task()
        if task is None:
            raise RuntimeError("Timeout should be used inside a task")
        self._task = task
        self._cancelling = task.cancelling()
        self.reschedule(self._when)
        return self

    async def __aexit__(self, kind, raised, traceback):
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._expired and self._task.uncancel() <= self._cancelling and kind is not None:
            if issubclass(kind, CancelledError):
                raise TimeoutError from raised
        return None


def timeout(delay):
    return Timeout(None if delay is None else monotonic() + delay)


def timeout_at(when):
    return Timeout(when)


async def wait_for(awaitable, timeout):
    if timeout is not None and timeout <= 0:
        future = ensure_future(awaitable)
        if future.done():
            return future.result()
        future.cancel()
        try:
            await future
        except CancelledError as raised:
            raise TimeoutError from raised
    async with Timeout(None if timeout is None else monotonic() + timeout):
        return await awaitable


async def wait(awaitables, *, timeout=None, return_when=ALL_COMPLETED):
    futures = list(dict.fromkeys(awaitables))
    if not futures:
        raise ValueError("Set of Tasks/Futures is empty.")
    for future in futures:
        if not isinstance(future, Future):
            raise TypeError("Passing coroutines is forbidden, use tasks explicitly.")
    if return_when not in (FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED):
        raise ValueError(f"Invalid return_when value: {return_when}")
    waiter = Future()

    def enough():
        open_ones = [future for future in futures if not future.done()]
        if not open_ones or (return_when == FIRST_COMPLETED and len(open_ones) < len(futures)):
            return True
        return return_when == FIRST_EXCEPTION and any(
            future.done() and not future.cancelled() and future._exception is not None for future in futures
        )

    def finished(_):
        if waiter._state == _PENDING and enough():
            waiter.set_result(None)

    if not enough():
        handle = None
        if timeout is not None:
            handle = _loop.call_later(timeout, lambda: waiter.done() or waiter.set_result(None))
        for future in futures:
            future.add_done_callback(finished)
        try:
            await waiter
        finally:
            if handle is not None:
                handle.cancel()
            for future in futures:
                future.remove_done_callback(finished)
    return {future for future in futures if future.done()}, {future for future in futures if not future.done()}


def as_completed(awaitables, *, timeout=None):
    futures = [ensure_future(awaitable) for awaitable in dict.fromkeys(awaitables)]
    finished = Queue()
    for future in futures:
        future.add_done_callback(finished.put_nowait)

    async def next_one():
        future = await finished.get()
        return future.result()

    for _ in futures:
        yield next_one()


class TaskGroup:
    """Tasks that end together: the first failure cancels the others."""

    def __init__(self):
        self._tasks = {}
        self._errors = []
        self._parent = None
        self._exiting = False
        self._aborting = False
        self._parent_cancelled = False
        self._all_done = None

    async def __aenter__(self):
        if self._parent is not None:
            raise RuntimeError(f"TaskGroup {self!r} has already been entered")
        self._parent = current_task()
        return self

    def create_task(self, coro, *, name=None, context=None, **kwargs):
        if self._parent is None:
            raise RuntimeError(f"TaskGroup {self!r} has not been entered")
        if self._exiting and not self._tasks:
            raise RuntimeError(f"TaskGroup {self!r} is finished")
        if self._aborting:
            raise RuntimeError(f"TaskGroup {self!r} is shutting down")
        task = Task(coro, name=name)
        self._tasks[id(task)] = task
        task.add_done_callback(self._done)
        return task

    def _abort(self):
        self._aborting = True
        for task in list(self._tasks.values()):
            if not task.done():
                task.cancel()

    def _done(self, task):
        self._tasks.pop(id(task), None)
        if self._all_done is not None and not self._tasks and not self._all_done.done():
            self._all_done.set_result(True)
        if task.cancelled():
            return
        raised = task.exception()
        if raised is None:
            return
        self._errors.append(raised)
        if not self._aborting and not self._parent_cancelled:
            self._abort()
            self._parent_cancelled = True
            self._parent.cancel()

    async def __aexit__(self, kind, raised, traceback):
        self._exiting = True
        cancellation = raised if kind is not None and issubclass(kind, CancelledError) else None
        if self._parent_cancelled and self._parent.uncancel() == 0:
            cancellation = None
        if kind is not None and not self._aborting:
            self._abort()
        while self._tasks:
            if self._all_done is None:
                self._all_done = Future()
            try:
                await self._all_done
            except CancelledError as again:
                if not self._aborting:
                    cancellation = again
                    self._abort()
            self._all_done = None
        if self._parent_cancelled and self._parent.cancelling() and self._parent._stepper.must_cancel:
            self._parent.uncancel()
        if cancellation is not None and not self._errors:
            raise cancellation
        if kind is not None and not issubclass(kind, CancelledError):
            self._errors.append(raised)
        if self._errors:
            try:
                raise BaseExceptionGroup("unhandled errors in a TaskGroup", self._errors)
            finally:
                self._errors = []
        return None


class _Entered:
    async def __aenter__(self):
        await self.acquire()
        return None

    async def __aexit__(self, kind, raised, traceback):
        self.release()


class Lock(_Entered):
    """Held by one task at a time; those who wait get it in the order they came."""

    def __init__(self):
        self._locked = False
        self._waiters = deque()

    def locked(self):
        return self._locked

    async def acquire(self):
        if not self._locked and all(waiter.cancelled() for waiter in self._waiters):
            self._locked = True
            return True
        waiter = Future()
        self._waiters.append(waiter)
        try:
            try:
                await waiter
            finally:
                self._waiters.remove(waiter)
        except CancelledError:
            if not self._locked:
                self._wake()
            raise
        self._locked = True
        return True

    def release(self):
        if not self._locked:
            raise RuntimeError("Lock is not acquired.")
        self._locked = False
        self._wake()

    def _wake(self):
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(True)
            return


class Event:
    """A flag tasks can wait for."""

    def __init__(self):
        self._set = False
        self._waiters = deque()

    def is_set(self):
        return self._set

    def set(self):
        if not self._set:
            self._set = True
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(True)

    def clear(self):
        self._set = False

    async def wait(self):
        if self._set:
            return True
        waiter = Future()
        self._waiters.append(waiter)
        try:
            await waiter
            return True
        finally:
            self._waiters.remove(waiter)


class Condition(_Entered):
    def __init__(self, lock=None):
        self._lock = lock if lock is not None else Lock()
        self.locked = self._lock.locked
        self.acquire = self._lock.acquire
        self.release = self._lock.release
        self._waiters = deque()

    async def wait(self):
        if not self.locked():
            raise RuntimeError("cannot wait on un-acquired lock")
        self.release()
        waiter = Future()
        self._waiters.append(waiter)
        try:
            await waiter
            return True
        finally:
            self._waiters.remove(waiter)
            await self.acquire()

    async def wait_for(self, predicate):
        result = predicate()
        while not result:
            await self.wait()
            result = predicate()
        return result

    def notify(self, n=1):
        if not self.locked():
            raise RuntimeError("cannot notify on un-acquired lock")
        for waiter in self._waiters:
            if n <= 0:
                break
            if not waiter.done():
                waiter.set_result(True)
                n -= 1

    def notify_all(self):
        self.notify(len(self._waiters))


class Semaphore(_Entered):
    """Lets as many tasks in as its value says."""

    def __init__(self, value=1):
        if value < 0:
            raise ValueError("Semaphore initial value must be >= 0")
        self._value = value
        self._waiters = deque()

    def locked(self):
        return self._value == 0 or any(not waiter.cancelled() for waiter in self._waiters)

    async def acquire(self):
        if not self.locked():
            self._value -= 1
            return True
        waiter = Future()
        self._waiters.append(waiter)
        try:
            try:
                await waiter
            finally:
                self._waiters.remove(waiter)
        except CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._value += 1
            raise
        finally:
            self._wake()
        return True

    def release(self):
        self._value += 1
        self._wake()

    def _wake(self):
        for waiter in self._waiters:
            if self._value <= 0:
                break
            if not waiter.done():
                self._value -= 1
                waiter.set_result(True)


class BoundedSemaphore(Semaphore):
    def __init__(self, value=1):
        self._bound = value
        super().__init__(value)

    def release(self):
        if self._value >= self._bound:
            raise ValueError("BoundedSemaphore released too many times")
        super().release()


class QueueEmpty(Exception):
    __module__ = "asyncio"


class QueueFull(Exception):
    __module__ = "asyncio"


class Queue:
    def __init__(self, maxsize=0):
        self._maxsize = maxsize
        self._items = deque()
        self._getters = deque()
        self._putters = deque()
        self._unfinished = 0
        self._idle = Event()
        self._idle.set()

    def qsize(self):
        return len(self._items)

    @property
    def maxsize(self):
        return self._maxsize

    def empty(self):
        return not self._items

    def full(self):
        return 0 < self._maxsize <= len(self._items)

    async def put(self, item):
        while self.full():
            await self._stand(self._putters, self.full)
        self.put_nowait(item)

    def put_nowait(self, item):
        if self.full():
            raise QueueFull
        self._items.append(item)
        self._unfinished += 1
        self._idle.clear()
        self._wake(self._getters)

    async def get(self):
        while not self._items:
            await self._stand(self._getters, self.empty)
        return self.get_nowait()

    def get_nowait(self):
        if not self._items:
            raise QueueEmpty
        item = self._items.popleft()
        self._wake(self._putters)
        return item

    def task_done(self):
        if self._unfinished <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished -= 1
        if self._unfinished == 0:
            self._idle.set()

    async def join(self):
        if self._unfinished:
            await self._idle.wait()

    async def _stand(self, line, blocked):
        waiter = Future()
        line.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter in line:
                line.remove(waiter)
            if not blocked() and not waiter.cancelled():
                self._wake(line)
            raise

    @staticmethod
    def _wake(line):
        while line:
            waiter = line.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break
