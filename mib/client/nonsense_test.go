package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/ruleset"
)

// liar is a MIB whose answers to Next a test makes up.
type liar struct {
	smi.Handler
	next func(r *smi.Range, out *smi.VarBind)
}

func (l *liar) Next(ranges []smi.Range, out []smi.VarBind) error {
	for i := range ranges {
		l.next(&ranges[i], &out[i])
	}
	return nil
}

func (l *liar) Bulk(b *smi.Bulk, out []smi.VarBind) ([]smi.VarBind, error) {
	return b.Fill(l.Next, out)
}

// TestNonsense has a meter answer what makes no sense, in each way to read
// flows and in tables.
func TestNonsense(t *testing.T) {
	bump := func(name smi.OID) smi.OID {
		if name.HasPrefix(module.RtfmBlockData.OID) {
			return append(slices.Clone(name), 0, 1)
		}
		name = slices.Clone(name)
		name[len(name)-1]++
		return name
	}
	for what, next := range map[string]func(r *smi.Range, out *smi.VarBind){
		"stays": func(r *smi.Range, out *smi.VarBind) { out.SetName(r.Start); out.Value.SetInt(1) },
		"goes back": func(r *smi.Range, out *smi.VarBind) {
			name := slices.Clone(r.Start)
			name[len(name)-1] = 0
			out.SetName(name)
			out.Value.SetInt(1)
		},
		"wrong type": func(r *smi.Range, out *smi.VarBind) { out.SetName(bump(r.Start)); out.Value.SetUint(smi.Counter32, 7) },
		"empty": func(r *smi.Range, out *smi.VarBind) {
			out.SetName(bump(r.Start))
			out.Value.SetOctets(smi.OctetString, nil)
		},
		"deep": func(r *smi.Range, out *smi.VarBind) { out.SetName(append(r.Start, 1)); out.Value.SetInt(1) },
	} {
		m := control.New(control.Config{Config: meter.Config{MaxFlows: 10}})
		c := dial(t, serve(t, &liar{mib.New(m), next}))
		for method := Blocks; method <= Columns; method++ {
			q := FlowQuery{RuleSet: 2, Uptime: 100, Method: method, MaxFlows: 10, Attrs: []attr.Attr{attr.SourcePeerAddress}}
			err := c.Flows(t.Context(), &q, func(f *match.Flow) error { t.Errorf("%s: a flow: %+v", what, f); return nil })
			if !errors.Is(err, ErrNonsense) {
				t.Errorf("%s, method %d: %v", what, method, err)
			}
		}
	}
}

// TestEndlessTable walks a table without end.
func TestEndlessTable(t *testing.T) {
	m := control.New(control.Config{Config: meter.Config{MaxFlows: 10}})
	c := dial(t, serve(t, &liar{mib.New(m), func(r *smi.Range, out *smi.VarBind) {
		name := r.Start
		if len(name) == len(module.FlowReaderStatus.OID) {
			name = append(name, 0)
		}
		out.SetName(name)
		out.Name[len(name)-1]++
		out.Value.SetInt(1)
	}}))
	if _, err := c.Readers(t.Context()); !errors.Is(err, ErrNonsense) || !strings.Contains(err.Error(), "more than 1000 rows") {
		t.Errorf("the error is %v", err)
	}
}

// TestNoAnswer asks with a wrong community, where nobody is, and with a context
// that ends.
func TestNoAnswer(t *testing.T) {
	_, good := newMeter(t)
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for what, cfg := range map[string]Config{
		"a wrong community": {Address: good.Address(), Community: "wrong"},
		"nobody":            {Address: "127.0.0.1:9", Community: "wrong"},
		"silence":           {Address: silent.LocalAddr().String(), Community: "wrong"},
	} {
		cfg.Timeout, cfg.Retries = 20*time.Millisecond, 1
		c, err := Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Status(t.Context())
		if !errors.Is(err, ErrNoAnswer) || strings.Contains(err.Error(), "wrong") || !strings.HasPrefix(err.Error(), cfg.Address) {
			t.Errorf("%s: %v", what, err)
		}
		c.Close()
	}
	c, err := Dial(t.Context(), Config{Address: silent.LocalAddr().String(), Community: "x", Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ends: %v", err)
	}
}

// TestRefused sets what the meter refuses.
func TestRefused(t *testing.T) {
	ctx := t.Context()
	_, c := newMeter(t)
	err := c.CreateManager(ctx, 1, &mib.Manager{CurrentRuleSet: 99})
	var refused *Error
	if !errors.As(err, &refused) || refused.Object != "flowManagerCurrentRuleSet.1" || refused.Status != smi.InconsistentValue {
		t.Errorf("a task of no ruleset: %v", err)
	}
	if err := c.CreateReader(ctx, 1, &mib.Reader{RuleSet: 1}); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateReader(ctx, 1, &mib.Reader{RuleSet: 1}); !errors.Is(err, ErrExists) {
		t.Errorf("a reader that is there: %v", err)
	}
	if err := c.PutRuleSet(ctx, 1, "me", ruleset.Default()); err == nil {
		t.Error("the built-in ruleset was replaced")
	}
	reading, err := Dial(ctx, Config{Address: c.Address(), Community: "reader"})
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	if err := reading.SetFloodMark(ctx, 5); !errors.Is(err, ErrAccess) {
		t.Errorf("who may only read sets: %v", err)
	}
}

// TestConfig checks faulty configurations.
func TestConfig(t *testing.T) {
	for want, c := range map[string]Config{
		"want a host":                         {Address: "host:port", Community: "x"},
		"1 to 65535":                          {Address: "host:0", Community: "x"},
		"no community":                        {Address: "host"},
		"no SNMPv3 user":                      {Address: "host", Version: V3},
		"no privacy":                          {Address: "host", Version: V3, User: "u", PrivPassphrase: "12345678"},
		"at least 8":                          {Address: "host", Version: V3, User: "u", AuthPassphrase: "1234567"},
		"SHA-512; MD5 and SHA-1 are too weak": {Address: "host", Version: V3, User: "u", Auth: "MD5"},
		"AES-256; DES is too weak":            {Address: "host", Version: V3, User: "u", Priv: "DES"},
		"over UDP only":                       {Address: "tcp:host:161", Community: "x"},
		`without "udp6:"`:                     {Address: "udp6:[::1]:161", Community: "x"},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	for address, want := range map[string]string{"h": "h 161", "tcp:7": "tcp 7", "h:5": "h 5", "[::1]:7": "::1 7", "[::1]": "::1 161", "::1": "::1 161"} {
		c := Config{Address: address, Community: "x"}
		if host, port, err := c.split(); err != nil || fmt.Sprint(host, " ", port) != want {
			t.Errorf("%s: %v, %s %d", address, err, host, port)
		}
	}
}
