package acceptance

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// echoing is a server that answers whatever it is told with an error of HTTP in which that
// stands, and closes the connection. It returns its address.
func echoing(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var told []byte
				room := make([]byte, 1<<16)
				for n := 1; n > 0; told = append(told, room[:n]...) {
					conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
					n, _ = conn.Read(room)
				}
				fmt.Fprintf(conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n%s", told)
			}()
		}
	}()
	return l.Addr().String()
}

// TestExportSecrets: what stands in files that options name is told to nobody but the
// place: not in what programs print, their arguments and environment, or any file that
// they write, also if the place tells it back.
func TestExportSecrets(t *testing.T) {
	t.Parallel()
	for _, name := range schemes(t) {
		c := schemeCases[name]
		if len(c.secrets) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, files := t.TempDir(), t.TempDir()
			url := strings.NewReplacer("HOST", echoing(t), "FOLDER", dir).Replace(c.url)
			for option, text := range c.secrets {
				file := filepath.Join(files, option)
				putFile(t, file, strings.ReplaceAll(text, "SECRET", secret))
				url += "&" + option + "=" + file
			}
			var seen bytes.Buffer
			folder := filepath.Join(dir, "spool")
			p := startBeside(t, exec.Command("rtfm", "run", "-q", "--json", "-F", filepath.Join(dir, "flows"), "-T", "60", "--export", url, "--spool", folder, "--export-grace", "1", sampleTrace))
			for running := true; running; {
				for _, file := range []string{"cmdline", "environ"} {
					text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
					seen.Write(text)
				}
				select {
				case <-p.ended:
					running = false
				case <-time.After(20 * time.Millisecond):
				}
			}
			if status := p.exit(time.Minute); status != 5 || !strings.Contains(seen.String(), url) {
				t.Errorf("exit status %d, %q", status, &seen)
			}
			seen.WriteString(p.printed())
			for _, args := range [][]string{{folder}, {"--json", folder}, {"--send", "--export-grace", "1", folder}} {
				if status := runMain(append([]string{"flows", "spool"}, args...), nil, &seen, &seen); status != 5 {
					t.Errorf("%q: exit status %d", args, status)
				}
			}
			_, told := checkExports(t, `[{url: "`+url+`"}]`, true)
			seen.WriteString(told)
			err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					var text []byte
					text, err = os.ReadFile(path)
					seen.Write(text)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(seen.Bytes()) {
				if bytes.Contains(line, []byte(secret)) {
					t.Errorf("it is told: %.1000q", line)
				}
			}
		})
	}
}
