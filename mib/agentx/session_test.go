package agentx

import (
	"io"
	"net"
	"testing"
	"time"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// sink is a connection that takes everything.
type sink struct {
	net.Conn
	responses int
}

func (s *sink) SetWriteDeadline(time.Time) error { return nil }
func (s *sink) Write(b []byte) (int, error) {
	s.responses++
	return io.Discard.Write(b)
}

// FuzzSession has a master send any PDUs in any order. The input is a list of
// them: the payload's length in words of four octets, the type, the flags, the
// transaction, and the payload.
func FuzzSession(f *testing.F) {
	add := func(pdus ...PDU) {
		var in []byte
		for _, p := range pdus {
			b := p.Append(nil)[headerSize:]
			in = append(in, byte(len(b)/4), byte(p.Type), byte(p.Flags), byte(p.TransactionID))
			in = append(in, b...)
		}
		f.Add(in)
	}
	test := PDU{Header: header(TestSet, NetworkByteOrder), Vars: []smi.VarBind{smitest.Int("1.3.6.1.1.0", 5)}}
	commit, undo, cleanup := PDU{Header: header(CommitSet, 0)}, PDU{Header: header(UndoSet, 0)}, PDU{Header: header(CleanupSet, 0)}
	add(test, commit, cleanup)
	add(test, commit, undo, test, cleanup)
	add(test, test, commit, test, cleanup, undo)
	ranges := []smi.Range{{Start: smi.OID{1, 3, 6, 1}}, {Start: smi.OID{1, 3, 6, 1, 1, 0}, Include: true, End: smi.OID{2}}}
	add(PDU{Header: header(Get, 0), Ranges: ranges}, PDU{Header: header(GetNext, NetworkByteOrder), Ranges: ranges},
		PDU{Header: header(GetBulk, 0), NonRepeaters: 1, MaxRepetitions: 65535, Ranges: ranges}, PDU{Header: header(Ping, 0)},
		PDU{Header: header(Response, 0), Error: NotOpen}, PDU{Header: header(Close, 0), Reason: ReasonOther})
	f.Fuzz(func(t *testing.T, in []byte) {
		table := smitest.New(smitest.Int("1.3.6.1.1.0", 1), smitest.Octets("1.3.6.1.2.0", smi.OctetString, "x"))
		sub, err := New(Config{}, table)
		if err != nil {
			t.Fatal(err)
		}
		conn := new(sink)
		s := &session{Subagent: sub, conn: conn, open: true, established: true, id: 9, in: new(PDU)}
		s.set.pdu = new(PDU)
		for len(in) >= 4 && err == nil {
			n, typ := min(4*int(in[0]), len(in)-4), Type(in[1])
			h := Header{Type: typ, Flags: Flags(in[2]), SessionID: 9, TransactionID: uint32(in[3])}
			e := h.begin(nil)
			e.bytes(in[4 : 4+n]...)
			in = in[4+n:]
			before := conn.responses
			err = s.receive(e.end())
			if sent := conn.responses - before; sent != 1 && typ != CleanupSet && typ != Response {
				t.Fatalf("%d responses to %v", sent, typ)
			} else if sent != 0 && (typ == CleanupSet || typ == Response) {
				t.Fatalf("%d responses to %v", sent, typ)
			}
			open := 0
			if s.set.state != setNone {
				open = 1
			}
			if table.Open() != open {
				t.Fatalf("%d transactions are open in state %d", table.Open(), s.set.state)
			}
		}
		s.set.abandon()
		if table.Open() != 0 {
			t.Fatalf("%d transactions are open at the end", table.Open())
		}
	})
}
