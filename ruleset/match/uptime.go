package match

// Centisecond is the unit of Uptime, of TimeTicks and of TimeMarks, in nanoseconds.
const Centisecond = 10_000_000

// Uptime returns a meter's uptime in centiseconds at time t, when it started
// at epoch; both in nanoseconds since 1970-01-01 00:00:00 UTC. It is 0 for
// times before the start.
func Uptime(t, epoch int64) uint64 {
	if t <= epoch {
		return 0
	}
	return (uint64(t) - uint64(epoch)) / Centisecond
}
