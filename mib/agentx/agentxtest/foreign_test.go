package agentxtest_test

import (
	"net"
	"strings"
	"testing"

	foreign "github.com/posteo/go-agentx"
	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"rtfm/mib/agentx"
	"rtfm/mib/agentx/agentxtest"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// TestForeignSubagent has a subagent that nobody here wrote open a session with
// the fake master, register, and answer: so what the master takes for AgentX is
// AgentX to others too. That subagent only answers the first variable of a PDU.
func TestForeignSubagent(t *testing.T) {
	m := agentxtest.Listen(t)
	network, address, _ := strings.Cut(m.Address(), ":")
	client, err := foreign.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	const subtree = "1.3.6.1.4.1.8072.9999.9999.7"
	handler := &foreign.ListHandler{}
	for _, v := range []struct {
		oid   string
		typ   pdu.VariableType
		value any
	}{
		{subtree + ".1.0", pdu.VariableTypeOctetString, "of others"},
		{subtree + ".2.0", pdu.VariableTypeInteger, int32(2741)},
		{subtree + ".3.0", pdu.VariableTypeCounter64, uint64(1) << 40},
		{subtree + ".4.0", pdu.VariableTypeIPAddress, net.IP{192, 0, 2, 1}},
	} {
		item := handler.Add(v.oid)
		item.Type, item.Value = v.typ, v.value
	}
	done := make(chan error, 1)
	go func() {
		session, err := client.Session(value.MustParseOID(subtree), "foreign", handler)
		if err == nil {
			err = session.Register(127, value.MustParseOID(subtree))
		}
		done <- err
	}()
	s := m.Accept()
	// It knows one order of octets only, not the network's: s.Flags stays 0.
	if got := s.Registered(1)[0]; got.String() != subtree {
		t.Errorf("registered %v, want %s", got, subtree)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	end := smitest.OID(subtree + ".9")
	for _, tc := range []struct {
		typ        agentx.Type
		from, want string
	}{
		{agentx.Get, ".1.0", ".1.0 = " + (&smi.Value{Type: smi.OctetString, Octets: []byte("of others")}).String()},
		{agentx.GetNext, ".1.0", ".2.0 = " + (&smi.Value{Type: smi.Integer32, Int: 2741}).String()},
		{agentx.GetNext, ".2.0", ".3.0 = " + (&smi.Value{Type: smi.Counter64, Uint: 1 << 40}).String()},
		{agentx.GetNext, ".3.0", ".4.0 = " + (&smi.Value{Type: smi.IpAddress, Octets: []byte{192, 0, 2, 1}}).String()},
	} {
		r := s.Do(agentx.PDU{Header: agentx.Header{Type: tc.typ}, Ranges: []smi.Range{{Start: smitest.OID(subtree + tc.from), End: end}}})
		if len(r.Vars) != 1 || r.Vars[0].String() != subtree+tc.want {
			t.Errorf("%v %s: %v, want %s", tc.typ, tc.from, r.Vars, tc.want)
		}
	}
}
