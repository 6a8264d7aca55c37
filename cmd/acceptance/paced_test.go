package acceptance

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// lasting returns how long a test has its way: a moment, minutes if RTFM_LONG is set, or
// what that says, as RTFM_LONG=30m.
func lasting(t *testing.T, moment, minutes time.Duration) time.Duration {
	t.Helper()
	if !tracetest.Long() {
		return moment
	}
	if said, err := time.ParseDuration(os.Getenv("RTFM_LONG")); err == nil {
		return said
	}
	return minutes
}

// pacedFlows writes a trace of 1,000 packets a second, of 100 flows, as time passes, until
// done. Then it closes w.
func pacedFlows(w io.WriteCloser, done <-chan struct{}) {
	const every = 100 * time.Millisecond
	defer w.Close()
	var all []tracetest.Frame
	for i := range 100 {
		all = append(all, tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(fmt.Sprintf("10.0.0.%d", i), "10.1.0.1").UDP(1000, 53).Payload(10))
	}
	batch := tracetest.Packets(all...)
	next := time.NewTicker(every)
	defer next.Stop()
	for file, now := 0, time.Now(); ; file = 24 { // the header of PCAP once
		for i := range batch {
			batch[i].Time = now.UnixNano() + int64(i)*int64(time.Microsecond)
		}
		if _, err := w.Write(tracetest.PCAP(tracetest.PCAPOptions{}, batch...)[file:]); err != nil {
			return
		}
		select {
		case <-done:
			return
		case now = <-next.C:
		}
	}
}
