"""The shared words: indices into the engine block, the schedule block, the ramp block and the event records.

Python writes and reads these blocks as int64 arrays; native code sees the same memory. Words that one side writes while
the other reads stand 64 bytes apart from the others' words.
"""

# The engine block. Written by Python once, or by the audio thread:
SCHEDULE = 0  # address of the schedule that plays
NOW = 1  # first frame of the segment that is being played
LATE = 2  # events that came after their frame
EPOCH = 3  # schedules swapped in, counted
XRUNS = 4  # blocks that the device says it lost
CALLBACKS = 5  # times the device asked for sound
BUSY = 6  # processor cycles spent in the callback
BUSY_MOST = 7  # the most in one callback, relative to its length: cycles a frame, times 1024
BAD = 8  # segments in which NaN or Inf reached an output
DIAGNOSE = 9  # segments still to be searched for the node that makes NaN
BLAMED = 10  # that node's operation, +1
BLAMED_LANE = 11
GAIN = 12  # the safety limiter's gain, float32 bits in the low half
LIMITED = 13  # segments in which the limiter worked
MASTER = 14  # the master fade's gain, float32
DONE = 15  # frames played: everything before it has left the engine
EPOCH_SEEN = 16  # epoch at the end of the last callback: older schedules are free
CYCLE_FRAMES = 17  # frames of the last callback
SWAPPED = 18  # the frame at which the schedule that plays began
STAMPS = 19  # twice the device's blocks that were stamped; odd while a stamp is being written
STAMP_FRAME = 20  # the first frame of the device's last block
STAMP_TIME = 21  # when the device asked for it: seconds, and in the next word nanoseconds
# Written by Python while the engine runs:
WRITE = 24  # events written
STOPPING = 25  # 1: fade out and stay silent
GRANT = 26  # frames whose events are all known
WAIT = 27  # 1: wait for the grant (offline and freewheeling)
WATCHED = 28  # 1: count what every operation costs (see watching.py)
# Read by both, set up once:
READ = 32  # events read
RING = 33
RING_MASK = 34
RAMP_FUNCTION = 35
SLEEP = 36
IN_TABLE = 37  # addresses of the device's input channels, now
IN_CHANNELS = 38
OUT_CHANNELS = 39
METERS = 40  # per channel: peak, sum of squares (float32 each), inputs first
SCRATCH_IN = 41
SCRATCH_OUT = 42
SCRATCH_FRAMES = 43
MASTER_STEP = 44  # the master fade's step a frame, float32
OFFSET = 45  # first frame of the segment inside the device's block
CLOCK = 46  # address of clock_gettime
CLOCK_ID = 47  # the clock that Python's time.monotonic reads
RELEASE = 48  # the limiter's release a frame, float32
IN_POINTERS = 49
OUT_POINTERS = 50
FEED = 52  # address of a sound that stands in for the device's inputs, or 0 (see aside.py)
CAPTURE = 53  # address of the ring that keeps the outputs, or 0
CREW = 54  # address of the crew block (see crew.py), or 0: this thread alone
ENGINE_WORDS = 64

# The schedule block.
OPERATIONS = 0
COUNT = 1
SLOTS = 2  # per control slot: first entry, entries
SLOT_COUNT = 3
ENTRIES = 4  # per entry: ramp block (or address), control (or -1), lane
BUSES = 5  # per output channel: address of its signal, or 0
BUS_COUNT = 6
LONGEST = 7  # frames of its buffers
SHAPES = 8  # per operation: outputs * 65536 + lanes
MOVES = 9  # rows of (from, to, from stride, to stride, words)
MOVE_COUNT = 10
RAMPS = 11  # addresses of the ramp blocks
RAMP_COUNT = 12
TASKS = 13  # the operations in tasks, for several threads; rows of 64 bytes
TASK_COUNT = 14  # 0: one thread plays all of it
OPEN_TASKS = 15  # numbers of the tasks that wait for no other
OPEN_COUNT = 16
TASK_FRAMES = 17  # from so many frames on several threads are worth it
HELPERS = 18  # threads besides the audio thread that find something to do
CHAIN = 19  # the function of rows that are chains
COSTS = 20  # frames that were counted, then cycles spent in each row
SCHEDULE_WORDS = 24

# A task.
T_ROW = 0  # its first operation
T_ROWS = 1
T_NEXT = 2  # numbers of the tasks that wait for it
T_NEXT_COUNT = 3
T_NEEDED = 4  # tasks that it waits for
T_LEFT = 5  # of these, how many are not done; NEEDED again when all are
TASK_BYTES = 64
MOST_TASKS = 256

# The crew block. What one thread writes often has a cache line of its own.
C_HEAD = 0  # round * 65536 + places of the queue that are taken
C_TAIL = 8  # places of the queue that are given away
C_FINISHED = 16  # tasks that are done
C_ROUND = 24  # written by the audio thread before a round
C_TABLE = 25
C_FRAMES = 26
C_REST = 27  # segments that the audio thread still plays by itself
C_HELD_UP = 28  # times that it waited too long for a helper
C_AUDIO = 29  # the audio thread's number with the system
C_COSTS = 30  # where costs are counted in this round, or 0
C_FIRST = 31  # the schedule's first row
C_SPINS = 32  # set up once: pauses before a helper sleeps
C_PATIENCE = 33  # pauses until the audio thread has waited too long
C_RECOVERY = 34  # segments that it then plays by itself
C_POST = 35  # addresses of the functions that wake and that sleep
C_WAIT = 36
C_NUMBER = 37  # gives a thread's number with the system
C_SLEEP = 38
C_HELPERS = 39
C_STOP = 40  # written by Python
C_QUEUE = 48  # a word per place: round * 65536 + task
C_HELPER = 48 + (MOST_TASKS + 8)  # 16 words per helper
CREW_WORDS = C_HELPER

# A helper, inside the crew block.
K_CREW = 0
K_THREAD = 1  # its number with the system
K_ASLEEP = 2
K_DONE = 3  # tasks that it did
K_SEMAPHORE = 4  # what it sleeps on, as POST and WAIT take it
K_MEMORY = 8  # the semaphore itself, where it is memory
HELPER_WORDS = 16

# The state of a chain.
C_ROWS = 0  # the rows of its operations
C_COUNT = 1
C_RAMPING = 2  # how many of them have controls that ramp
C_LINKS = 3  # the rows of its links

# The ramp block of one operation.
R_OPERATION = 0
R_STILL = 1
R_MOVING = 2
R_STATE = 3
R_INS = 4  # the moving form's inputs
R_CONTROLS = 5
R_LANES = 6
R_ACTIVE = 7
R_OFFSETS = 8  # per control: its field's offset in the state
R_TARGET = 9
R_STEP = 10
R_LEFT = 11
R_BUFFERS = 12  # per control: address of its ramp's buffer
R_FACTOR = 13  # how many times the engine's rate it runs at
R_CHAIN = 14  # address of the count of ramping operations in its chain, or 0
RAMP_WORDS = 16

# The gate block: what stands between one device's callback and the engine, see gate.py. Written by Python:
G_ENGINE = 0  # the engine that it leads to
G_OPEN = 1  # 1: the device plays the engine; 0: it gets silence
G_GOAL = 2  # 1: fade in and stay, 0: fade out and stay silent
G_STEP = 3  # the fade's step a frame, float32
G_GIVEN = 4  # channels that the device gives
G_WANTED = 5  # channels that the device takes
G_PORTS = 6  # JACK: address of jack_port_get_buffer, then the input ports, then the output ports
G_INS = 7  # JACK: room for the addresses of the input channels
G_OUTS = 8
G_RUN = 9  # the null driver's loop: 1 while it runs
G_LAST = 10  # address of the last sample of each input channel, float32: what is lost is let go softly from there
G_BRIDGE = 11  # address of the bridge from another device's inputs, or 0 (see bridge.py)
G_MIDI = 12  # JACK: address of the MIDI block, or 0 (see midi.py)
# Written by the device's thread:
G_INSIDE = 16  # 1 while it may be in the engine
G_CALLS = 17  # times that the device asked for sound, heard or not
G_PLACE = 18  # how far the fade is, from 0.0 to 1.0, float32
GATE_WORDS = 24

# The bridge block: from a device's inputs to another device's clock, see bridge.py. Set up once:
B_RING = 0  # the ring: frames of `B_GROUPS` times 16 channels
B_MASK = 1  # its frames - 1
B_GROUPS = 2
B_CHANNELS = 3
B_TABLE = 4  # the filter: a row of taps a phase, and one row more
B_CLOCK = 5  # address of clock_gettime
B_CLOCK_ID = 6
B_RATE = 7  # frames a second that both devices claim, float64
B_SLOWEST = 8  # the loop's bandwidth in the end, float64, Hz
B_MOST = 9  # the largest delay that is aimed at, frames, float64
B_EPOCH = 10  # the time from which times are counted, ns: seconds since then are small, and exact to less than a ns
# Written by the input's thread:
B_WRITTEN = 16  # frames written
B_WHEN = 17  # when the last of them came, smoothed, float64, s
B_EACH = 18  # seconds a frame, float64
B_TOLD = 19  # records told, counted
B_GIVEN_AT = 20  # room for the time, two words
B_FRESH = 22  # frame from which on the input came without a gap
B_RECORDS = 24  # four records of (when, written, each)
# Written by the output's thread:
B_TARGET = 40  # the delay that is aimed at, frames, float64
B_STATE = 41  # 1 while it plays
B_FRAME = 42  # the next frame of the ring, and what is beyond it, float64
B_BEYOND = 43
B_RATIO = 44  # frames of the input a frame of the output, float64
B_FIRST = 45  # the loop's memories, float64
B_SECOND = 46
B_THIRD = 47
B_LEVEL = 48  # fade, float32
B_OUT_WHEN = 49  # when the output asked, smoothed, float64, s; 0: never yet
B_OUT_EACH = 50
B_DELAY = 51  # the delay now, float64
B_LOST = 52  # times that there was too little or too much
B_PLAYED = 53  # frames since it plays
B_ASKED_AT = 54  # room for the time, two words
BRIDGE_WORDS = 64

# The MIDI block: what comes and goes by a device's MIDI ports, see midi.py. Set up once:
M_IN_PORT = 0
M_OUT_PORT = 1
M_GET_BUFFER = 2  # addresses of the device's functions
M_COUNT = 3
M_GET = 4
M_CLEAR = 5
M_WRITE = 6
M_COPY = 7  # address of memcpy
M_EVENT = 8  # room for an event: time, size, address of its bytes
M_IN_RING = 9
M_OUT_RING = 10
M_RING_BYTES = 11  # of each
# Written by the audio thread:
M_IN_WRITTEN = 16  # bytes
M_IN_LOST = 17  # messages for which there was no room
M_OUT_READ = 18
M_OUT_LATE = 19  # messages that came after their frame
M_OUT_LOST = 20  # messages that the device did not take
M_OUT_BUFFER = 21  # the port's buffer in this block
# Written by Python:
M_IN_READ = 24
M_OUT_WRITTEN = 25
MIDI_WORDS = 32

# A record of a MIDI ring: frame, bytes of the message (or REST: go on at the ring's start), the message, and nothing up
# to the next multiple of RECORD_BYTES.
RECORD_BYTES = 16
REST = -1

# An event record: frame (0: at once), slot, ramp frames (or -1 a message, -2 a schedule), value (float64 or address).
EVENT_WORDS = 4
MESSAGE = -1
SWAP = -2
