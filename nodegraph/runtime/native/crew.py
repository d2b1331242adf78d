"""Several threads play one schedule: its tasks, taken by whoever is free, and done by the audio thread if nobody is.

A round is one segment. A task that waits for no other task stands in the round's queue; who takes it does its
operations, and then puts those into the queue that waited for nothing else. The queue's head carries the number of the
round, so a helper that comes late takes nothing and, what matters more, looks at nothing: only who holds a task touches
the schedule, and the round ends when all tasks are done. So a schedule that the audio thread has left is left by all.

The audio thread never waits for a helper to come, only for one that is in the middle of a task. When that takes too
long (the helper has lost its core), it lends its own core for a moment and plays the next segments by itself.
"""

from nodegraph.runtime.kernels.memory_words import (
    call_address,
    compare_exchange,
    exchange,
    fence,
    fetch_add,
    flush_denormals,
    load_acquire,
    load_i64,
    pause,
    sleep_us,
    store_i64,
    store_release,
)
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.watching import run_watched


def play(engine, schedule, frames, costs):
    """One segment, by the audio thread and whoever helps. `costs` is where costs are counted, or 0."""
    crew = load_i64(engine, 8 * w.CREW)
    rest = load_i64(crew, 8 * w.C_REST)
    if rest > 0:
        store_i64(crew, 8 * w.C_REST, rest - 1)
        first = load_i64(schedule, 8 * w.OPERATIONS)
        run_watched(costs, first, first, load_i64(schedule, 8 * w.COUNT), frames)
    else:
        begin(crew, schedule, frames, costs)
        wake(crew, load_i64(schedule, 8 * w.HELPERS))
        finish(crew, load_i64(schedule, 8 * w.TASK_COUNT))


def begin(crew, schedule, frames, costs):
    """Open a round: nobody holds a task now, so nobody else reads or writes these words but the head."""
    turn = load_i64(crew, 8 * w.C_ROUND) + 1
    store_i64(crew, 8 * w.C_ROUND, turn)
    store_i64(crew, 8 * w.C_TABLE, load_i64(schedule, 8 * w.TASKS))
    store_i64(crew, 8 * w.C_FRAMES, frames)
    store_i64(crew, 8 * w.C_COSTS, costs)
    store_i64(crew, 8 * w.C_FIRST, load_i64(schedule, 8 * w.OPERATIONS))
    store_i64(crew, 8 * w.C_FINISHED, 0)
    count = load_i64(schedule, 8 * w.OPEN_COUNT)
    tasks = load_i64(schedule, 8 * w.OPEN_TASKS)
    for k in range(count):
        store_release(crew + 8 * w.C_QUEUE, 8 * k, (turn << 16) + load_i64(tasks, 8 * k))
    store_i64(crew, 8 * w.C_TAIL, count)
    store_release(crew, 8 * w.C_HEAD, turn << 16)


def finish(crew, count):
    """Do what there is to do until all of it is done."""
    waited = 0
    while load_acquire(crew, 8 * w.C_FINISHED) < count:
        token = claim(crew)
        if token >= 0:
            perform(crew, token)
            waited = 0
        elif waited < load_i64(crew, 8 * w.C_PATIENCE):
            waited += 1
            pause()
        else:
            waited = 0
            store_i64(crew, 8 * w.C_HELD_UP, load_i64(crew, 8 * w.C_HELD_UP) + 1)
            store_i64(crew, 8 * w.C_REST, load_i64(crew, 8 * w.C_RECOVERY))
            sleep_us(load_i64(crew, 8 * w.C_SLEEP), 20)


def claim(crew):
    """Take the next task of the queue: gives the queue's word for it, or -1 when none is ready."""
    head = load_acquire(crew, 8 * w.C_HEAD)
    found = load_acquire(crew + 8 * w.C_QUEUE, 8 * (head & 65535))
    if found >> 16 != head >> 16 or not compare_exchange(crew, 8 * w.C_HEAD, head, head + 1):
        found = -1
    return found


def perform(crew, token):
    """Do a task that was claimed, and open those that waited for it alone."""
    table = load_i64(crew, 8 * w.C_TABLE)
    task = table + w.TASK_BYTES * (token & 65535)
    costs, first = load_i64(crew, 8 * w.C_COSTS), load_i64(crew, 8 * w.C_FIRST)
    run_watched(costs, first, load_i64(task, 8 * w.T_ROW), load_i64(task, 8 * w.T_ROWS), load_i64(crew, 8 * w.C_FRAMES))
    following = load_i64(task, 8 * w.T_NEXT)
    opened = 0
    for k in range(load_i64(task, 8 * w.T_NEXT_COUNT)):
        number = load_i64(following, 8 * k)
        other = table + w.TASK_BYTES * number
        if fetch_add(other, 8 * w.T_LEFT, -1) == 1:
            store_i64(other, 8 * w.T_LEFT, load_i64(other, 8 * w.T_NEEDED))  # for the next round
            place = fetch_add(crew, 8 * w.C_TAIL, 1)
            store_release(crew + 8 * w.C_QUEUE, 8 * place, (token >> 16 << 16) + number)
            opened += 1
    if opened > 1:
        wake(crew, opened - 1)
    fetch_add(crew, 8 * w.C_FINISHED, 1)


def wake(crew, count):
    """Wake the first `count` helpers if they sleep. A post never waits."""
    fence()  # what is to be seen by who falls asleep just now must be written before its mark is read
    for k in range(min(count, load_i64(crew, 8 * w.C_HELPERS))):
        helper = crew + 8 * (w.C_HELPER + w.HELPER_WORDS * k)
        if load_acquire(helper, 8 * w.K_ASLEEP) != 0 and exchange(helper, 8 * w.K_ASLEEP, 0) != 0:
            call_address(load_i64(crew, 8 * w.C_POST), load_i64(helper, 8 * w.K_SEMAPHORE), 0)


def note_audio_thread(engine):
    """Write down now and then which thread plays, so that Python can give the helpers its priority."""
    crew = load_i64(engine, 8 * w.CREW)
    if crew != 0 and load_i64(engine, 8 * w.CALLBACKS) & 63 == 0:
        store_i64(crew, 8 * w.C_AUDIO, thread_number(crew))


def thread_number(crew):
    """This thread's number with the system; 0 where the system has none to give."""
    function = load_i64(crew, 8 * w.C_NUMBER)
    number = 0
    if function != 0:
        number = call_address(function, 0, 0) & 0xFFFFFFFF
    return number


def helper(mine):
    """A helper thread's whole life; `mine` is its part of the crew block."""
    flush_denormals()
    crew = load_i64(mine, 8 * w.K_CREW)
    store_i64(mine, 8 * w.K_THREAD, thread_number(crew))
    idle = 0
    while load_acquire(crew, 8 * w.C_STOP) == 0:
        token = claim(crew)
        if token >= 0:
            store_i64(mine, 8 * w.K_DONE, load_i64(mine, 8 * w.K_DONE) + 1)
            perform(crew, token)
            idle = 0
        elif idle < load_i64(crew, 8 * w.C_SPINS):
            idle += 1
            pause()
        else:
            fall_asleep(crew, mine)
            idle = 0
    return 0


def fall_asleep(crew, mine):
    """Sleep until somebody posts, unless a round has begun since."""
    head = load_acquire(crew, 8 * w.C_HEAD)
    exchange(mine, 8 * w.K_ASLEEP, 1)
    fence()
    if load_acquire(crew, 8 * w.C_HEAD) == head and load_acquire(crew, 8 * w.C_STOP) == 0:
        call_address(load_i64(crew, 8 * w.C_WAIT), load_i64(mine, 8 * w.K_SEMAPHORE), -1)
    elif exchange(mine, 8 * w.K_ASLEEP, 0) == 0:
        # somebody has posted already: that post is taken back
        call_address(load_i64(crew, 8 * w.C_WAIT), load_i64(mine, 8 * w.K_SEMAPHORE), -1)


def spin(pauses):
    """So many pauses, to find out how long they take."""
    done = 0
    while done < pauses:
        pause()
        done += 1
    return done
