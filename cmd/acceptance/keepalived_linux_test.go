package acceptance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// keepalivedConf returns the configuration that docs/FEED.md has.
func keepalivedConf(t *testing.T) string {
	text, err := os.ReadFile("docs/FEED.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```\nvrrp_instance")
	conf, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("docs/FEED.md has no configuration of keepalived")
	}
	return "vrrp_instance" + conf
}

// TestKeepalived has two machines share an address as docs/FEED.md says: when one is gone,
// the other has it.
func TestKeepalived(t *testing.T) {
	for _, tool := range []string{"keepalived", "ip"} {
		tracetest.Require(t, tool)
	}
	tracetest.Network(t)
	conf, dir := keepalivedConf(t), t.TempDir()
	space := func(i int) string { return fmt.Sprintf("rtfm-ka-%d-%d", os.Getpid(), i) }
	tracetest.Run(t, "ip link add br0 type bridge")
	tracetest.Run(t, "ip addr add 192.0.2.9/24 dev br0")
	tracetest.Run(t, "ip link set br0 up")
	for i := 1; i <= 2; i++ {
		tracetest.Run(t, "ip netns add "+space(i))
		t.Cleanup(func() { do("ip netns del " + space(i)) })
		tracetest.Run(t, fmt.Sprintf("ip link add v%d type veth peer name eth0 netns %s", i, space(i)))
		tracetest.Run(t, fmt.Sprintf("ip link set v%d master br0 up", i))
		tracetest.Run(t, fmt.Sprintf("ip -n %s link set eth0 up", space(i)))
		tracetest.Run(t, fmt.Sprintf("ip -n %s addr add 192.0.2.%d/24 dev eth0", space(i), i))
		startBeside(t, exec.Command("ip", "netns", "exec", space(i), "rtfm", "feed", "-q", "-l", "tcp://:4739"))
		file := filepath.Join(dir, fmt.Sprint(i, ".conf"))
		text := strings.Replace(conf, "priority 110", fmt.Sprint("priority ", 120-10*i), 1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(dir, fmt.Sprint(i))
		startBeside(t, exec.Command("ip", "netns", "exec", space(i), "keepalived", "-nlD", "-f", file, "-p", at+".pid", "-r", at+".vrrp", "-c", at+".checkers"))
	}
	owner := func() (owner int) {
		for i := 1; i <= 2; i++ {
			out, err := exec.Command("ip", "-n", space(i), "addr", "show", "dev", "eth0").Output()
			if err == nil && strings.Contains(string(out), "192.0.2.100/") {
				owner += i
			}
		}
		return owner
	}
	answers := func(patience time.Duration) (after time.Duration) {
		began := time.Now()
		for {
			c, err := net.DialTimeout("tcp", "192.0.2.100:4739", 30*time.Millisecond)
			if err == nil {
				c.Close()
				return time.Since(began)
			}
			if time.Since(began) > patience {
				t.Fatalf("nobody answers at the address after %v: %v", patience, err)
			}
		}
	}
	answers(20 * time.Second)
	first := owner()
	if first != 1 && first != 2 {
		t.Fatalf("the address is at %d", first)
	}
	tracetest.Run(t, fmt.Sprintf("ip link set v%d down", first))
	took := answers(20 * time.Second)
	t.Logf("the address was taken over after %v", took)
	if tracetest.Long() && took > 500*time.Millisecond {
		t.Errorf("the address was taken over after %v", took)
	}
	if out, _ := exec.Command("ip", "-n", space(3-first), "addr", "show", "dev", "eth0").Output(); !strings.Contains(string(out), "192.0.2.100/") {
		t.Error("the second machine has no such address")
	}
}
