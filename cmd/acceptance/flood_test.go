package acceptance

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestFloodOfChosenKeys meters 40,000 flows from addresses of one prefix each that
// once had one hash, whatever the seed was: all packets are counted, in a flow each.
func TestFloodOfChosenKeys(t *testing.T) {
	const flows = 40_000
	for name, prefix := range map[string]uint64{"chosen": 0x157c4a7fb979379e, "any": 0x20010db800010002} {
		frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv6("2001:db8::1", "2001:db8::2").TCP(1234, 80, 2).Bytes()
		packets := make([]traces.Packet, flows)
		for i := range packets {
			data := bytes.Clone(frame)
			binary.BigEndian.PutUint64(data[22:], prefix)
			binary.BigEndian.PutUint64(data[30:], uint64(i+1)*0x9e3779b97f4a7c15)
			packets[i] = traces.Packet{Time: int64(i) * 1000, Data: data, Wire: uint32(len(data)), Link: traces.LinkEthernet, Interface: 1}
		}
		trace := filepath.Join(t.TempDir(), "flood.pcap")
		if err := os.WriteFile(trace, tracetest.PCAP(tracetest.PCAPOptions{}, packets...), 0o644); err != nil {
			t.Fatal(err)
		}
		var printed, complaints bytes.Buffer
		if status := runMain([]string{"run", "-q", "--json", "-r", "ruleset/examples/all-flows.srl", trace}, nil, &printed, &complaints); status != 0 {
			t.Errorf("%s: exit status %d: %s", name, status, &complaints)
		}
		counted := 0
		for lines := json.NewDecoder(&printed); lines.More(); {
			var record struct {
				Record             string
				ToPDUs             int
				Packets, Uncounted int
			}
			if err := lines.Decode(&record); err != nil {
				t.Fatal(err)
			}
			switch {
			case record.Record == "flow" && record.ToPDUs == 1:
				counted++
			case record.Record == "end" && (record.Packets != flows || record.Uncounted != 0):
				t.Errorf("%s: %d packets, %d uncounted", name, record.Packets, record.Uncounted)
			}
		}
		if counted != flows {
			t.Errorf("%s: %d of %d flows are counted", name, counted, flows)
		}
	}
}
