package tracetest

import (
	"fmt"
	"math/rand/v2"

	"rtfm/traces"
)

// Mix returns n packets of ordinary traffic between some hundred hosts: TCP
// and UDP in both directions, IPv4 and a little IPv6, sizes from the smallest
// to the largest, a microsecond apart on average. The same n gives the same
// packets.
func Mix(n int) []traces.Packet {
	r := rand.New(rand.NewPCG(1, 2))
	frames := make([]Frame, n)
	for i := range frames {
		a, b := r.IntN(100), 100+r.IntN(20)
		sport, dport := 1024+r.IntN(500), []int{53, 80, 443, 123}[r.IntN(4)]
		if r.IntN(2) == 0 {
			a, b, sport, dport = b, a, dport, sport
		}
		f := Eth(fmt.Sprintf("02:00:00:00:00:%02x", a), fmt.Sprintf("02:00:00:00:00:%02x", b))
		if r.IntN(14) == 0 {
			f = f.IPv6(fmt.Sprintf("2001:db8::%x", a), fmt.Sprintf("2001:db8::%x", b))
		} else {
			f = f.IPv4(fmt.Sprintf("10.0.0.%d", a), fmt.Sprintf("10.0.0.%d", b))
		}
		size := [...]int{0, 20, 100, 500, 1400}[r.IntN(5)]
		if dport == 53 || sport == 53 {
			frames[i] = f.UDP(sport, dport).Payload(size)
		} else {
			frames[i] = f.TCP(sport, dport, ACK).Payload(size)
		}
	}
	ps := Packets(frames...)
	t := Start
	for i := range ps {
		ps[i].Time = t
		t += r.Int64N(2000)
	}
	return ps
}
