package acceptance

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/reader/spool"
	"rtfm/traces/tracetest"
)

// TestExportLive meters an interface while a place is away: that is told, and metering goes
// on. At the end what waits is sent if the place is well again in time; else the exit
// status and a line tell that it is not.
func TestExportLive(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for collections")
	}
	t.Parallel()
	tracetest.Network(t)
	here, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	_, port, _ := net.SplitHostPort(here.LocalAddr().String())
	rules := writeRules(t, "if DestTransAddress == "+port+" save; else ignore; save SourceTransAddress; count;")
	for _, well := range []bool{false, true} {
		s := newSink(t, nil)
		s.busy = true
		folder, grace := filepath.Join(t.TempDir(), "spool"), "1"
		if well {
			grace = "60"
		}
		p := startBeside(t, exec.Command("rtfm", "run", "-i", "lo", "-T", "1", "-r", rules, "--export", s.URL+"/x", "--spool", folder, "--export-grace", grace))
		p.wait(time.Minute, func(printed string) bool {
			if _, err := here.WriteTo([]byte("x"), here.LocalAddr()); err != nil {
				t.Error(err)
			}
			st, err := spool.Look(folder)
			return err == nil && st.Segments >= 3 && strings.Contains(printed, "503 Service Unavailable: busy; ")
		})
		p.signal(syscall.SIGINT)
		want, told := 5, "collections are still in "+folder+"; rtfm flows spool --send "+folder+" sends them"
		if well {
			s.mu.Lock()
			s.busy = false
			s.mu.Unlock()
			want, told = 0, "goes on; "
		}
		if status := p.exit(time.Minute); status != want || !strings.Contains(p.printed(), told) {
			t.Errorf("exit status %d, want %d, and %q", status, want, told)
		}
		_, err := os.Stat(folder)
		if well != os.IsNotExist(err) || well != (len(s.flows) > 0) {
			t.Errorf("the spool: %v, and the sink has %d flows", err, len(s.flows))
		}
		s.whole()
	}
}
