package acceptance

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// viewed is the line that `rtfm view` prints.
var viewed = regexp.MustCompile(`^(https?://[^/]+/)#token=([0-9a-f]{32})\n$`)

// viewBeside starts `rtfm view` and returns its address and token.
func viewBeside(t *testing.T, args ...string) (p *process, address, token string) {
	t.Helper()
	args = append([]string{"view", "--listen", "127.0.0.1:0"}, args...)
	p = runBeside(t, exec.Command("rtfm", args...), func(printed string) bool { return strings.HasSuffix(printed, "\n") }, time.Minute)
	parts := viewed.FindStringSubmatch(p.printed())
	if parts == nil {
		t.Fatalf("it prints %q", p.printed())
	}
	return p, parts[1], parts[2]
}

// TestViewTLS serves the page with a certificate to who knows the token, and ends at
// once though somebody views.
func TestViewTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, pool := writeCertificate(t, dir)
	p, address, token := viewBeside(t, "--tls-cert", cert, "--tls-key", key, "-T", "60", "traces/testdata/sample.pcap")
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	answer, err := browser.Post(address+"session", "text/plain", strings.NewReader(token))
	if err != nil {
		t.Fatal(err)
	}
	place, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK || len(answer.Cookies()) != 1 || !answer.Cookies()[0].Secure {
		t.Fatalf("%s %v %v", answer.Status, answer.Cookies(), err)
	}
	r, err := http.NewRequest("GET", address+string(place)+"/events/0", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(answer.Cookies()[0])
	if answer, err = browser.Do(r); err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines, intervals := bufio.NewScanner(answer.Body), 0
	for lines.Buffer(nil, 1<<20); intervals < 5 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), `data: {"schema":1,"meter":"sample.pcap",`) {
			intervals++
		}
	}
	if intervals < 5 {
		t.Fatalf("%d intervals: %v", intervals, lines.Err())
	}
	p.signal(syscall.SIGINT)
	if status := p.exit(time.Minute); status != 0 || strings.Count(p.printed(), "\n") != 1 {
		t.Errorf("status %d, printed %q", status, p.printed())
	}
}

// TestViewGivesUpRights: once the interface is open, no thread of what answers others
// has rights of root's.
func TestViewGivesUpRights(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		tracetest.Missing(t, "root", fmt.Errorf("only root has what is given up"))
	}
	p, address, _ := viewBeside(t, "-i", "lo")
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if status := rights(t, p.cmd.Process.Pid); status != "" {
		t.Error(status)
	}
}

// TestViewPortTaken says what to do where another listens already.
func TestViewPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out, err := exec.Command("rtfm", "view", "--listen", l.Addr().String(), "traces/testdata/sample.pcap").CombinedOutput()
	want := "rtfm: --listen " + l.Addr().String() + ": the port is taken, perhaps by another rtfm view; --listen 127.0.0.1:0 takes a free one\n"
	if err == nil || string(out) != want {
		t.Errorf("%v, printed %q, want %q", err, out, want)
	}
}
