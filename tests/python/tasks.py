# Each coroutine is one snippet: what it tells must be the same here, in virtual time, and under CPython 3.
# After a change: python3 tests/python/tasks.py > tests/python/tasks.json
import asyncio
import json

STEP = 0.02


async def gathering():
    log = []

    async def work(name, steps):
        log.append(f"{name} begins")
        await asyncio.sleep(STEP * steps)
        log.append(f"{name} ends")
        return name

    results = await asyncio.gather(work("a", 3), work("b", 1), work("c", 2))
    return [log, results]


async def gathering_failures():
    async def fails(steps):
        await asyncio.sleep(STEP * steps)
        raise ValueError(steps)

    async def works():
        await asyncio.sleep(STEP * 2)
        return "fine"

    told = []
    try:
        await asyncio.gather(works(), fails(1))
    except ValueError as error:
        told.append(repr(error))
    results = await asyncio.gather(works(), fails(1), return_exceptions=True)
    told.append([repr(result) for result in results])
    return told


async def order_of_tasks():
    log = []

    async def work(name):
        for round in range(3):
            log.append(f"{name}{round}")
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(work(name)) for name in "abc"]
    log.append("created")
    await tasks[2]
    log.append("awaited c")
    await asyncio.gather(*tasks)
    return log


async def timeouts():
    told = []
    try:
        async with asyncio.timeout(STEP):
            await asyncio.sleep(STEP * 5)
    except TimeoutError as error:
        told.append(["timeout", type(error.__cause__).__name__])
    async with asyncio.timeout(STEP * 5) as clock:
        await asyncio.sleep(STEP)
    told.append(clock.expired())
    try:
        await asyncio.wait_for(asyncio.sleep(STEP * 5), STEP)
    except asyncio.TimeoutError:
        told.append("wait_for")
    told.append(await asyncio.wait_for(asyncio.sleep(STEP, "value"), STEP * 5))
    inner = []

    async def slow():
        try:
            await asyncio.sleep(STEP * 10)
        except asyncio.CancelledError:
            inner.append("cancelled")
            await asyncio.sleep(STEP)
            inner.append("cleaned up")
            raise

    try:
        await asyncio.wait_for(slow(), STEP)
    except TimeoutError:
        told.append(inner)
    try:
        async with asyncio.timeout(STEP):
            async with asyncio.timeout(STEP * 9):
                await asyncio.sleep(1)
    except TimeoutError:
        told.append("outer of two")
    return told


async def cancelling():
    log = []

    async def work():
        try:
            log.append("begins")
            await asyncio.sleep(1)
        except asyncio.CancelledError as error:
            log.append(f"cancelled {error.args}")
            raise
        finally:
            log.append("finally")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    log.append(task.cancel("enough"))
    try:
        await task
    except asyncio.CancelledError as error:
        log.append(f"awaited {error.args}")
    log.append([task.cancelled(), task.done(), task.cancel()])

    async def stubborn():
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            return "stayed"

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    task.cancel()
    log.append(await task)
    early = asyncio.create_task(work())
    early.cancel()
    try:
        await early
    except asyncio.CancelledError:
        log.append("never began")
    return log


async def shielding():
    log = []

    async def work():
        await asyncio.sleep(STEP * 2)
        log.append("work done")
        return 5

    task = asyncio.create_task(work())
    try:
        async with asyncio.timeout(STEP):
            await asyncio.shield(task)
    except TimeoutError:
        log.append("gave up")
    log.append(await task)
    return log


async def groups():
    log = []

    async def work(name, steps, fails=False):
        try:
            await asyncio.sleep(STEP * steps)
            if fails:
                raise ValueError(name)
            log.append(name)
        except asyncio.CancelledError:
            log.append(f"{name} cancelled")
            raise

    async with asyncio.TaskGroup() as group:
        first = group.create_task(work("a", 2))
        group.create_task(work("b", 1))
    log.append(first.done())
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(work("c", 1, fails=True))
            group.create_task(work("d", 5))
            await asyncio.sleep(STEP * 9)
            log.append("never")
    except* ValueError as raised:
        log.append([repr(error) for error in raised.exceptions])
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(work("e", 5))
            raise KeyError("body")
    except BaseExceptionGroup as raised:
        log.append(repr(raised))
    await asyncio.sleep(STEP)
    log.append("goes on")
    return log


async def locks():
    log = []
    lock = asyncio.Lock()

    async def work(name):
        async with lock:
            log.append(f"{name} in")
            await asyncio.sleep(STEP)
            log.append(f"{name} out")

    await asyncio.gather(work("a"), work("b"), work("c"))
    waiting = [asyncio.create_task(work("d")), asyncio.create_task(work("e")), asyncio.create_task(work("f"))]
    await asyncio.sleep(STEP / 2)
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    log.append(lock.locked())
    return log


async def semaphores():
    log = []
    gate = asyncio.Semaphore(2)
    inside = 0
    most = 0

    async def work(name):
        nonlocal inside, most
        async with gate:
            inside += 1
            most = max(most, inside)
            log.append(name)
            await asyncio.sleep(STEP)
            inside -= 1

    await asyncio.gather(*(work(name) for name in "abcde"))
    return [log, most, gate.locked()]


async def events_and_conditions():
    log = []
    event = asyncio.Event()
    condition = asyncio.Condition()
    stock = []

    async def waiter(name):
        await event.wait()
        log.append(name)

    tasks = [asyncio.create_task(waiter(name)) for name in "ab"]
    await asyncio.sleep(0)
    log.append("set")
    event.set()
    await asyncio.gather(*tasks)

    async def taker():
        async with condition:
            await condition.wait_for(lambda: stock)
            log.append(f"took {stock.pop()}")

    task = asyncio.create_task(taker())
    await asyncio.sleep(0)
    async with condition:
        stock.append("book")
        condition.notify()
    await task
    return log


async def queues():
    log = []
    queue = asyncio.Queue(maxsize=2)

    async def producer():
        for number in range(4):
            await queue.put(number)
            log.append(f"put {number}")

    async def consumer():
        while True:
            number = await queue.get()
            log.append(f"got {number}")
            await asyncio.sleep(STEP)
            queue.task_done()

    eater = asyncio.create_task(consumer())
    await producer()
    await queue.join()
    eater.cancel()
    log.append(queue.empty())
    try:
        queue.get_nowait()
    except asyncio.QueueEmpty:
        log.append("empty")
    return log


async def waiting():
    async def work(name, steps):
        await asyncio.sleep(STEP * steps)
        return name

    tasks = [asyncio.create_task(work("a", 1)), asyncio.create_task(work("b", 3))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    told = [[task.result() for task in done], len(pending)]
    done, pending = await asyncio.wait(tasks, timeout=STEP)
    told.append([len(done), len(pending)])
    done, pending = await asyncio.wait(tasks)
    told.append([len(done), len(pending)])
    for next_one in asyncio.as_completed([work("slow", 2), work("fast", 1)]):
        told.append(await next_one)
    return told


async def async_generators():
    log = []

    async def numbers(upto):
        try:
            for number in range(upto):
                await asyncio.sleep(0)
                yield number
        finally:
            log.append("closed")

    log.extend([number async for number in numbers(3)])
    async for number in numbers(5):
        if number == 1:
            break

    class Resource:
        async def __aenter__(self):
            await asyncio.sleep(0)
            log.append("opened")
            return self

        async def __aexit__(self, *raised):
            log.append(f"left {raised[0].__name__ if raised[0] else None}")
            return True

    async with Resource():
        raise ValueError("swallowed")
    generator = numbers(3)
    log.append(await anext(generator))
    await generator.aclose()
    return log


async def futures():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    log = []
    loop.call_later(STEP, future.set_result, "rang")
    future.add_done_callback(lambda done: log.append("callback"))
    log.append(await future)
    task = asyncio.create_task(asyncio.sleep(0, "named"), name="my task")
    log.append(task.get_name())
    log.append(await task)
    failed = loop.create_future()
    failed.set_exception(ValueError("no"))
    try:
        await failed
    except ValueError as error:
        log.append(str(error))
    try:
        future.set_result(1)
    except asyncio.InvalidStateError:
        log.append("already set")
    loop.call_soon(log.append, "soon")
    await asyncio.sleep(0)
    started = loop.time()
    await asyncio.sleep(STEP)
    log.append(loop.time() - started >= STEP * 0.9)
    log.append(asyncio.current_task() is not None)
    return log


SNIPPETS = [
    gathering, gathering_failures, order_of_tasks, timeouts, cancelling, shielding, groups, locks, semaphores, events_and_conditions, queues,
    waiting, async_generators, futures,
]


async def answers():
    found = {}
    for snippet in SNIPPETS:
        try:
            found[snippet.__name__] = repr(await asyncio.wait_for(snippet(), 5))
        except Exception as error:
            found[snippet.__name__] = f"{type(error).__name__}: {error}"
    return found


async def handle():
    return await answers()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(answers()), indent=1, sort_keys=True))
