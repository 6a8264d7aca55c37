package stream

import "testing"

// FuzzStreams has an engine do what octets say, five for each step: packets of
// TCP and of UDP in any order and at any time, flows that begin and are
// forgotten. Its lists stay right, and nothing is left in the end.
func FuzzStreams(f *testing.F) {
	f.Add([]byte{0, 2, 0, 0, 1, 1, 18, 0, 1, 1, 0, 16, 10, 1, 1, 1, 16, 0, 11, 1, 0, 17, 20, 1, 1, 1, 17, 1, 21, 200, 7, 0, 0, 0, 90})
	f.Add([]byte{2, 1, 0, 0, 1, 3, 1, 0, 0, 1, 2, 2, 0, 0, 9, 5, 0, 0, 0, 0, 6, 0, 0, 0, 255, 0, 4, 0, 0, 5})
	f.Fuzz(func(t *testing.T, steps []byte) {
		e := New(Config{MaxStreams: 20, Timeout: second}, func(uint32, int64) {})
		shape := shapeOf(t, "FlowTime = 4 & 1.3.0!3000", "ToTCPSize = 4 & 1.0.0!3000", "FromTCPRate = 4 & 1.3.0!3000", "ToTurnaroundTime = 3.tcp_data & 1.3.10!30",
			"ToTurnaroundTime1 = 3.dns & 1.3.10!30", "FromTurnaroundTime1 = 3.tcp_syn & 1.3.10!30", "ToTurnaroundTime2 = 3.plain & 1.3.10!30",
			"ToLostPDUs = 3.tcp_data & 1.0.0!2", "FromLostPDUs = 3.dns & 1.0.0!2", "ToPDURate = 3.1 & 1.0.0!2")
		var live [3]bool
		now := int64(0)
		for ; len(steps) >= 5; steps = steps[5:] {
			kind, a, b, c := steps[0], steps[1], steps[2], steps[3]
			now += int64(steps[4]) * int64(steps[4]) * millisecond
			row := uint32(kind>>3)%2 + 1
			if !live[row] {
				e.Create(row, shape, false, now)
				live[row] = true
			}
			back := kind&1 != 0
			direction := int(kind & 1)
			switch kind & 7 {
			case 0, 1:
				e.Packet(row, direction, packetOf(tcp(back, a, uint32(b)<<(c>>4), uint32(c)<<(b>>4), int(c))), uint32(a), 100, now)
			case 2, 3:
				e.Packet(row, direction, packetOf(udp(back, uint16(a), 53, dnsMessage(uint16(b), c&1 != 0)...)), uint32(c), 100, now)
			case 4:
				live[row] = !e.Release(row, now, all())
			default:
				e.Advance(now)
			}
		}
		check(t, e)
		for row := range uint32(3) {
			for i, counters := range e.Counters(row, now) {
				if len(counters) != shape.Measures[i].Counters() {
					t.Errorf("%d counters of %v", len(counters), shape.Measures[i].Attr)
				}
			}
		}
		e.Finish(now)
		check(t, e)
		if s := e.Stats(); s.Active != 0 || s.Requests != 0 || s.Ended() != s.Created {
			t.Errorf("%+v are left", s)
		}
	})
}
