package agentx

import (
	"io"
	"net"
	"strings"
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// serving returns a session that is open, with nobody to read its responses.
func serving(t *testing.T, h smi.Handler) *session {
	s, err := New(Config{}, h)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	go io.Copy(io.Discard, theirs)
	x := &session{Subagent: s, conn: ours, in: new(PDU), id: 1, open: true}
	x.set.pdu = new(PDU)
	return x
}

func (s *session) held() int {
	return smi.Held(s.in.Vars) + smi.Held(s.set.pdu.Vars) + smi.Held(s.vars)
}

// TestMemory sends PDUs each of which has what is long in it one variable further
// on.
func TestMemory(t *testing.T) {
	const name = "1.3.6.1.4.1.8072.9999.9999.2720.1.1"
	x := serving(t, smitest.New(smitest.Octets(name, smi.OctetString, strings.Repeat("y", 60_000))))
	long := smitest.Octets(name, smi.OctetString, strings.Repeat("x", 60_000))
	set := PDU{Header: Header{Type: TestSet, SessionID: 1}, Vars: []smi.VarBind{long}}
	get := PDU{Header: Header{Type: Get, SessionID: 1}, Ranges: []smi.Range{{Start: smitest.OID(name)}}}
	const most = 2*keepRequests + 2*keepAnswers
	for i := range 300 {
		set.PacketID++
		if i%7 == 0 { // some end as they should
			set.TransactionID++
			for _, typ := range []Type{TestSet, CommitSet, CleanupSet} {
				p := set
				p.Type = typ
				if err := x.receive(p.Append(nil)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, p := range []*PDU{&set, &get} {
			if err := x.receive(p.Append(nil)); err != nil {
				t.Fatal(err)
			}
		}
		if got := x.held(); got > most {
			t.Fatalf("%d octets are held after %d PDUs, want %d at most", got, 2*i, most)
		}
		set.Vars = append(set.Vars, set.Vars[i])
		set.Vars[i] = smitest.None(name, smi.Null)
		get.Ranges = append(get.Ranges, get.Ranges[i])
		get.Ranges[i].Start = smitest.OID(name + ".1")
	}
}
