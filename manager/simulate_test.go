package manager

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rtfm/meter"
	controlled "rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/snmp"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// Tests run this test's program again as another process: as simulated meters,
// so that what the manager takes can be told from what they take, with the
// numbers of meters and of flows of each in this variable; or as a manager, so
// that it can be killed, with the name of a configuration file.
const (
	simulateVariable = "RTFM_TEST_SIMULATE"
	managerVariable  = "RTFM_TEST_MANAGER"
)

func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv(simulateVariable) != "":
		err = simulate(os.Getenv(simulateVariable))
	case os.Getenv(managerVariable) != "":
		err = manage(os.Getenv(managerVariable))
	default:
		os.Setenv("RTFM_TEST_SECRET", "hidden-in-the-environment") // for configurations of tests
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// manage is a manager until it is told to end.
func manage(name string) error {
	c, _, err := Load(name)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return Run(ctx, c, nil, Options{Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Version: "test"})
}

// simulate runs meters until its standard input ends. It prints the address of
// each, and at the end the number of packets that they have metered.
func simulate(numbers string) error {
	var meters, flows int
	if _, err := fmt.Sscan(numbers, &meters, &flows); err != nil {
		return err
	}
	var frames []tracetest.Frame
	for i := range flows {
		frames = append(frames, tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").
			IPv4(fmt.Sprintf("10.0.%d.%d", i>>8, i&255), "10.9.9.9").UDP(1000+i, 53))
	}
	traffic := &simulated{packets: tracetest.Packets(frames...)}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	for range meters {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		m := controlled.New(controlled.Config{Config: meter.Config{MaxFlows: 2*flows + 100}, Live: true, Version: "simulated"})
		server, err := snmp.New(snmp.Config{ReadCommunity: "r", WriteCommunity: "w"}, mib.New(m))
		if err != nil {
			return err
		}
		wg.Go(func() { server.Serve(ctx, conn) })
		source := &simulatedSource{simulated: traffic, ctx: ctx, meter: m}
		wg.Go(func() { m.Run(ctx, source, func(error) {}) })
		fmt.Println(conn.LocalAddr())
	}
	bufio.NewReader(os.Stdin).ReadString('\n')
	cancel()
	wg.Wait()
	return nil
}

// simulated is the traffic of simulated meters: each flow has a packet every
// few seconds.
type simulated struct {
	packets []traces.Packet
}

const simulatedEvery = 10 * time.Second

type simulatedSource struct {
	*simulated
	ctx   context.Context
	meter *controlled.Meter
	at    int
	next  time.Time
}

func (s *simulatedSource) ReadBatch(b *traces.Batch) error {
	const size = 256
	if s.at == 0 {
		if !s.next.IsZero() {
			select {
			case <-time.After(time.Until(s.next)):
			case <-s.ctx.Done():
				return io.EOF
			}
		}
		// Nothing is metered before a manager has come.
		for !runsTask(s.meter) && s.ctx.Err() == nil {
			time.Sleep(100 * time.Millisecond)
		}
		s.next = time.Now().Add(simulatedEvery)
	}
	to := min(s.at+size, len(s.packets))
	b.Packets, b.File = append(b.Packets[:0], s.packets[s.at:to]...), "simulated"
	now := time.Now().UnixNano()
	for i := range b.Packets {
		b.Packets[i].Time = now
	}
	if s.at = to; s.at == len(s.packets) {
		s.at = 0
	}
	if s.ctx.Err() != nil {
		return io.EOF
	}
	return nil
}

func (s *simulatedSource) Stats() traces.Stats { return traces.Stats{} }
func (s *simulatedSource) Close() error        { return nil }

// startSimulated runs meters in a process of their own and returns their
// addresses.
func startSimulated(t testing.TB, meters, flows int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), simulateVariable+"="+strconv.Itoa(meters)+" "+strconv.Itoa(flows))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error("the simulated meters:", err)
		}
	})
	var addresses []string
	for lines := bufio.NewScanner(out); len(addresses) < meters && lines.Scan(); {
		addresses = append(addresses, strings.TrimSpace(lines.Text()))
	}
	if len(addresses) < meters {
		t.Fatalf("%d meters have begun", len(addresses))
	}
	return addresses
}
