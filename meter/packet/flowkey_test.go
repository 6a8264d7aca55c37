package packet

import (
	"bytes"
	"testing"

	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestFlowKey: both directions of a flow have one key, which no other flow has.
func TestFlowKey(t *testing.T) {
	eth := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02")
	key := func(f tracetest.Frame) []byte {
		var p match.Packet
		data := f.Bytes()
		Decode(&p, traces.LinkEthernet, data, uint32(len(data)))
		return AppendFlowKey(nil, &p)
	}
	there := []tracetest.Frame{
		eth.IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2), eth.IPv4("10.0.0.1", "10.0.0.2").UDP(2, 1), eth.IPv4("10.0.0.1", "10.0.0.2").TCP(1, 2, tracetest.ACK),
		eth.IPv4("10.0.0.1", "10.0.0.1").UDP(1, 2), eth.IPv6("::1", "::2").UDP(1, 2), eth.IPv4("10.0.0.1", "10.0.0.3").UDP(1, 2), eth.Raw(0x0806, make([]byte, 46)),
	}
	back := []tracetest.Frame{
		eth.IPv4("10.0.0.2", "10.0.0.1").UDP(2, 1), eth.IPv4("10.0.0.2", "10.0.0.1").UDP(1, 2), eth.IPv4("10.0.0.2", "10.0.0.1").TCP(2, 1, tracetest.ACK),
		eth.IPv4("10.0.0.1", "10.0.0.1").UDP(2, 1), eth.IPv6("::2", "::1").UDP(2, 1), eth.IPv4("10.0.0.3", "10.0.0.1").UDP(2, 1), eth.Raw(0x0806, make([]byte, 46)),
	}
	for i := range there {
		for j := range back {
			if same := bytes.Equal(key(there[i]), key(back[j])); same != (i == j) {
				t.Errorf("flow %d and what comes back of %d: the same is %v", i, j, same)
			}
		}
		if n := len(key(there[i])); n > MaxFlowKey {
			t.Errorf("a key of %d octets", n)
		}
	}
}
