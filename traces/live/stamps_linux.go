package live

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"rtfm/traces"
)

// stampBits is how far a packet's status is shifted for the bits that tell which
// clock has stamped it: TP_STATUS_TS_SOFTWARE, _SYS_HARDWARE and _RAW_HARDWARE.
const stampBits = 29

// stampSource returns whose stamp these bits tell of. The kernel sets one or none.
func stampSource(bits int) traces.StampSource {
	switch {
	case bits&(unix.TP_STATUS_TS_RAW_HARDWARE>>stampBits) != 0:
		return traces.StampCard
	case bits&(unix.TP_STATUS_TS_SYS_HARDWARE>>stampBits) != 0:
		return traces.StampAdapter
	}
	return traces.StampKernel // with TP_STATUS_TS_SOFTWARE when it came, else when it was copied
}

// tellStamps takes over what the interfaces have counted. Those who have got the
// counts before keep what they have.
func (s *source) tellStamps() {
	stamps := make([]traces.InterfaceStamps, len(s.interfaces))
	for n, i := range s.interfaces {
		stamps[n].Name = i.name
		for bits, packets := range i.stamped {
			stamps[n].By[stampSource(bits)] += packets
		}
	}
	s.stats.Stamps = stamps
}

// clockEvery is how often the state of the system's clock is asked for.
const clockEvery = time.Minute

// lookAtClock tells when the system's clock is not kept right, and when it is
// again.
func (s *source) lookAtClock(now time.Time) {
	if now.Before(s.clockAt) {
		return
	}
	s.clockAt = now.Add(clockEvery)
	state := clockState()
	if state == s.stats.SystemClock {
		return
	}
	first := s.stats.SystemClock == traces.ClockUnknown
	s.stats.SystemClock = state
	switch {
	case state == traces.ClockUnsynchronised:
		s.notify("the system's clock is not synchronised, as far as the kernel knows: times may be off")
	case state == traces.ClockSynchronised && !first:
		s.notify("the system's clock is synchronised again")
	}
}

// clockState asks the kernel whether something keeps its clock right.
func clockState() traces.ClockState {
	var t unix.Timex // modes 0: nothing is set
	state, err := unix.Adjtimex(&t)
	switch {
	case err != nil:
		return traces.ClockUnknown
	case state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0:
		return traces.ClockUnsynchronised
	}
	return traces.ClockSynchronised
}

// stampByCard has the interface's card stamp all packets that come in, and tells
// if it does not. It stays so: to undo it would take rights that are given up.
func (s *source) stampByCard(name string) {
	config := unix.HwTstampConfig{Rx_filter: unix.HWTSTAMP_FILTER_ALL}
	if was, err := unix.IoctlGetHwTstamp(s.control, name); err == nil {
		if was.Rx_filter == unix.HWTSTAMP_FILTER_ALL {
			return
		}
		config.Tx_type = was.Tx_type
	}
	if err := unix.IoctlSetHwTstamp(s.control, name, &config); err != nil {
		s.notify("%s", fmt.Sprintf("%s: its card cannot be had to stamp packets: %v; their times are the kernel's", name, err))
	} else if config.Rx_filter != unix.HWTSTAMP_FILTER_ALL {
		s.notify("%s: its card stamps some packets only; the times of others are the kernel's", name)
	}
}
