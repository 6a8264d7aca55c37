package tracetest

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// TestWorkload has gopacket decode workloads: they must be what their totals
// say, and of the kinds that they are to be of.
func TestWorkload(t *testing.T) {
	for _, c := range []struct {
		name           string
		workload       *Workload
		packets, flows int
		ip6, udp       int // flows of it, in percent
		most           int // packets of a flow, about
	}{
		{"ordinary", Ordinary(50_000, 2000), 50_000, 2000, 10, 20, 48_000 / 8},
		{"even", Even(50_000, 2000), 50_000, 2000, 0, 20, 40},
		{"short", ShortFlows(2000), 9993, 2000, 10, 20, 9},
		{"one", OneFlow(1000), 1000, 1, 0, 100, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			var file, again bytes.Buffer
			totals, err := c.workload.Write(&file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.workload.Write(&again); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
				t.Errorf("written again it is another file, error %v", err)
			}
			var got Totals
			flows := make(map[string]int) // packets
			oneWay := make(map[string]bool)
			ip6, udp, most := 0, 0, 0
			last := uint64(0)
			for b := file.Bytes()[24:]; len(b) > 0; {
				stamp := uint64(binary.LittleEndian.Uint32(b))*1e6 + uint64(binary.LittleEndian.Uint32(b[4:]))
				if stamp < last {
					t.Fatalf("packet %d is earlier than the one before it", got.Packets+1)
				}
				last = stamp
				captured, size := int(binary.LittleEndian.Uint32(b[8:])), int(binary.LittleEndian.Uint32(b[12:]))
				if captured != min(size, snapLength) {
					t.Fatalf("packet %d: %d octets captured of %d", got.Packets+1, captured, size)
				}
				p := gopacket.NewPacket(b[16:16+captured], layers.LayerTypeEthernet, gopacket.NoCopy)
				b = b[16+captured:]
				if p.NetworkLayer() == nil || p.TransportLayer() == nil {
					t.Fatalf("packet %d: %v", got.Packets+1, p)
				}
				network, transport := p.NetworkLayer().NetworkFlow(), p.TransportLayer().TransportFlow()
				way := network.String() + " " + transport.String()
				back := network.Reverse().String() + " " + transport.Reverse().String()
				got.Packets++
				got.Octets += size
				got.IPOctets += size - 14
				if !oneWay[way] {
					oneWay[way] = true
					got.OneWay++
				}
				if flows[back] > 0 {
					way = back
				} else if flows[way] == 0 {
					got.Flows++
					if p.Layer(layers.LayerTypeIPv6) != nil {
						ip6++
					}
					if p.Layer(layers.LayerTypeUDP) != nil {
						udp++
					}
				}
				flows[way]++
				most = max(most, flows[way])
			}
			if got != totals || got.Packets != c.packets || got.Flows != c.flows {
				t.Errorf("%+v, said to be %+v", got, totals)
			}
			near := func(n, percent int) bool { return n*100 >= c.flows*percent*8/10 && n*100 <= c.flows*percent*12/10 }
			if !near(ip6, c.ip6) || !near(udp, c.udp) {
				t.Errorf("of %d flows %d IPv6, %d UDP", c.flows, ip6, udp)
			}
			if most < c.most*8/10 || most > c.most*15/10 {
				t.Errorf("the largest flow has %d packets", most)
			}
		})
	}
}
