package acceptance

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/format"

	"rtfm/ruleset/attr"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/mib/snmp"
	"rtfm/mib/snmp/snmptest"
	"rtfm/traces/tracetest"
)

// evil is the MIB of a meter with one flow, in whose answers a test puts what no
// meter should tell.
type evil struct {
	smi.Handler
	mode  string
	asked atomic.Uint64 // variables
}

// The ways in which an evil meter is, and what is said of each.
var evilModes = map[string]string{
	"index":   "", // such a flow may be
	"endless": "more than 2000 flows: max-flows allows more",
	"back":    "not a block that follows flow",
	"strings": "octets, where 127 are the most",
	"types":   "the type is Counter64",
	"rows":    "more than 1000 rows",
	"boots":   "restarted",
}

var (
	evilBlocks   = module.RtfmBlockData.OID
	evilBoot     = module.RtfmMeterBoot.At(0)
	evilMaxFlows = module.FlowMaxFlows.At(0)
	evilRules    = append(slices.Clone(module.FlowMIB), 1, 1, 1) // flowRuleSetInfoEntry
	evilControl  = append(slices.Clone(module.FlowMIB), 1)       // flowControl
)

// hushed is the community of evil meters, and is not to be told in any log.
const hushed = "not-to-be-told"

// newEvil serves a meter that is evil in this way.
func newEvil(t *testing.T, mode string) (address string) {
	t.Helper()
	c := control.New(control.Config{Config: meter.Config{MaxFlows: 1000}, Version: "evil"})
	src, err := format.NewReader(strings.NewReader(string(tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(1)...))), "one packet")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- c.Run(ctx, src, func(error) {}) }()
	t.Cleanup(func() { stop(); <-done })
	return snmptest.Serve(t, snmp.Config{WriteCommunity: hushed}, &evil{Handler: mib.New(c), mode: mode})
}

func (e *evil) Get(names []smi.OID, out []smi.VarBind) error {
	err := e.Handler.Get(names, out)
	for i := range out {
		e.spoil(&out[i])
	}
	return err
}

func (e *evil) Next(ranges []smi.Range, out []smi.VarBind) error {
	for i := range ranges {
		r, v := &ranges[i], &out[i]
		switch {
		case r.Start.HasPrefix(evilBlocks) && len(r.Start) > len(evilBlocks):
			e.block(r, v)
		case e.mode == "rows" && r.Start.HasPrefix(evilRules) && len(r.Start) > len(evilRules):
			name := slices.Clone(r.Start)
			if len(name) == len(evilRules)+1 {
				name = append(name, 0)
			}
			name[len(name)-1]++
			v.SetName(name)
			v.Value.SetInt(1)
		default:
			if err := e.Handler.Next(ranges[i:i+1], out[i:i+1]); err != nil {
				return err
			}
			e.spoil(v)
		}
	}
	return nil
}

func (e *evil) Bulk(b *smi.Bulk, out []smi.VarBind) ([]smi.VarBind, error) {
	return b.Fill(e.Next, out)
}

// spoil changes a variable that is no block.
func (e *evil) spoil(v *smi.VarBind) {
	n := e.asked.Add(1)
	exists := v.Value.Type < smi.NoSuchObject
	switch {
	case (e.mode == "endless" || e.mode == "many") && v.Name.Compare(evilMaxFlows) == 0:
		v.Value.SetInt(math.MaxInt32)
	case e.mode == "boots" && v.Name.Compare(evilBoot) == 0:
		v.Value.SetOctets(smi.OctetString, binary.BigEndian.AppendUint64(nil, n))
	case e.mode == "strings" && v.Name.HasPrefix(evilRules) && v.Value.Type == smi.OctetString:
		v.Value.SetOctets(smi.OctetString, make([]byte, 20_000))
	case e.mode == "types" && v.Name.HasPrefix(evilControl) && exists:
		v.Value.SetUint(smi.Counter64, 7)
	}
}

// block answers with the meter's one flow, as a flow of whatever ruleset, under
// an index that it has not got.
func (e *evil) block(r *smi.Range, v *smi.VarBind) {
	at := len(evilBlocks)
	base := at + 1 + int(r.Start[at]) + 2 // behind the selector, the ruleset and the TimeMark
	name := slices.Clone(r.Start[:base])
	name[base-2] = 1 // the built-in ruleset
	name[base-1] = 0
	out := []smi.VarBind{{}}
	if err := e.Handler.Next([]smi.Range{{Start: name, End: r.End}}, out); err != nil || out[0].Value.Type != smi.OctetString {
		panic("the meter has no flow")
	}
	after := uint32(0)
	if len(r.Start) > base {
		after = r.Start[len(r.Start)-1]
	}
	index := after + 1
	switch e.mode {
	case "index":
		index = math.MaxInt32
	case "back":
		index = after
	}
	if after > 0 && e.mode != "endless" && e.mode != "many" || after == manyFlows && e.mode == "many" {
		v.SetName(r.Start)
		v.Value.SetNone(smi.EndOfMibView)
		return
	}
	octets := out[0].Value.Octets
	field := octets[2:]
	if r.Start[at+1]<<8|r.Start[at+2] == uint32(attr.SavedAttributes) { // SavedAttributes comes first, behind its length
		field = field[1+field[0]:]
	}
	binary.BigEndian.PutUint32(field, index)
	v.SetName(append(slices.Clone(r.Start[:base]), after, index))
	v.Value.SetOctets(smi.OctetString, octets)
}

// manyFlows is how many a meter in mode "many" has.
const manyFlows = 100_000

// TestOnceMemory prints many flows at once: they need not fit into memory.
func TestOnceMemory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the race detector, under which short tests run, takes memory of its own")
	}
	address := newEvil(t, "many")
	for _, tt := range []struct {
		form, begins string
		lines        int
	}{{"--json=false", "flowruleset  flowindex  firsttime ", manyFlows + 1}, {"--json", `{"record":"header"`, manyFlows + 3}} {
		cmd := readerOf(address, "--once", "-r1", tt.form)
		cmd.Env = append(os.Environ(), "RTFM_COMMUNITY="+hushed)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := 0
		for in := bufio.NewScanner(out); in.Scan(); lines++ {
			if lines == 0 && !strings.HasPrefix(in.Text(), tt.begins) {
				t.Errorf("%s begins with %s", tt.form, in.Text())
			}
			if lines == manyFlows/2 {
				within(t, tt.form, cmd.Process, 64<<20)
			}
		}
		if err := cmd.Wait(); err != nil || lines != tt.lines {
			t.Errorf("%s: %v, %d lines, want %d", tt.form, err, lines, tt.lines)
		}
	}
}

// mostMemory is what a manager or reader of an evil meter may take, in octets.
const mostMemory = 256 << 20

// within fails the test if a process that is running has taken more memory. What
// the system tells of one that has ended may be its parent's from before exec.
func within(t *testing.T, what string, p *os.Process, most uint64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		return // no Linux
	}
	_, taken, _ := strings.Cut(string(status), "\nVmHWM:")
	var kB uint64
	if _, err := fmt.Sscan(taken, &kB); err != nil {
		t.Errorf("%s: no memory to be seen: %v", what, err)
	} else if kB<<10 > most {
		t.Errorf("%s: %d octets of memory", what, kB<<10)
	}
}

// TestEvilReader has readers read evil meters: each says what is wrong, and
// takes little memory.
func TestEvilReader(t *testing.T) {
	t.Parallel()
	for mode, complains := range evilModes {
		t.Run(mode, func(t *testing.T) {
			address := newEvil(t, mode)
			for _, form := range []string{"--json", "--json=false"} {
				flows := filepath.Join(t.TempDir(), "flows")
				cmd := readerOf(address, form, "-r1", "-c1", "--max-flows", "2000", "-F", flows)
				cmd.Env = append(os.Environ(), "RTFM_COMMUNITY="+hushed)
				p := runBeside(t, cmd, func(out string) bool {
					text, _ := os.ReadFile(flows)
					return complains != "" && strings.Contains(out, complains) || complains == "" && strings.Contains(string(text), "2147483647")
				}, 20*time.Second)
				within(t, form, p.cmd.Process, mostMemory)
				p.signal(syscall.SIGTERM)
				if status := p.exit(20 * time.Second); status != 0 && status != 1 || strings.Contains(p.printed(), "goroutine") || strings.Contains(p.printed(), hushed) {
					t.Errorf("%s: status %d", form, status)
				}
				if st, err := os.Stat(flows); mode == "endless" && (err != nil || st.Size() != 0) {
					t.Errorf("%s: something was written: %v", form, err)
				}
			}
		})
	}
}

// TestEvilManager has one manager manage a good meter and evil ones: it goes on
// with the good one, says what is wrong with the others, and takes little memory.
func TestEvilManager(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := tracetest.Address(t, "udp")
	cmd := exec.Command("rtfm", "meter", "--snmp", good, "-C", "traces/testdata/sample.pcap")
	cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=other", "RTFM_WRITE_COMMUNITY="+hushed)
	startBeside(t, cmd)
	rules, err := filepath.Abs("ruleset/examples/services.srl")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "defaults:\n  snmp: {community: {env: RTFM_WRITE_COMMUNITY}}\n  interval: 1s\n  json: true\n  max-flows: 2000\n"+
		"  tasks: [{rules: %s}]\nmeters:\n- {name: good, address: %q}\n", rules, good)
	for mode := range evilModes {
		fmt.Fprintf(&b, "- {name: %s, address: %q}\n", mode, newEvil(t, mode))
	}
	config := filepath.Join(dir, "meters.yaml")
	if err := os.WriteFile(config, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	manager := exec.Command("rtfm", "manager", "--config", config, "--grace", "3", "--verbose")
	manager.Env = append(os.Environ(), "RTFM_WRITE_COMMUNITY="+hushed)
	began := time.Now()
	collected := func() int {
		text, _ := os.ReadFile(filepath.Join(dir, "good.flows"))
		return strings.Count(string(text), `{"record":"end"`)
	}
	p := runBeside(t, manager, func(out string) bool {
		for mode, complains := range evilModes {
			if !slices.ContainsFunc(strings.Split(out, "\n"), func(line string) bool {
				return strings.Contains(line+" ", "meter="+mode+" ") && strings.Contains(line, complains)
			}) {
				return false
			}
		}
		return collected() >= 4
	}, 40*time.Second)
	// A session is begun anew at once only now and then, else after a second.
	restarts := strings.Count(p.printed(), "the meter was restarted: it gets")
	if most := int(time.Since(began)/time.Second) + 2; restarts == 0 || restarts > most {
		t.Errorf("%d restarts, want 1 to %d", restarts, most)
	}
	before := collected()
	within(t, "the manager", p.cmd.Process, mostMemory)
	p.signal(syscall.SIGTERM)
	if status := p.exit(20 * time.Second); status != 1 || strings.Contains(p.printed(), "goroutine ") || strings.Contains(p.printed(), hushed) {
		t.Errorf("status %d", status)
	}
	if collected() <= before {
		t.Error("there is no last collection from the good meter")
	}
}
