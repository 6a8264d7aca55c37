package acceptance

import (
	"encoding/pem"
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"rtfm/traces/tracetest"
)

// homeFile returns a file of packaging/home.
func homeFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("packaging/home", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestHomeCompose reads what starts three replicas: the files that it names are there,
// and all names that they have for each other are names of services.
func TestHomeCompose(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Image, Hostname string
			Environment     map[string]string
			Volumes         []string
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal([]byte(homeFile(t, "compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for name, s := range compose.Services {
		if s.Image == "" || s.Environment["REPLICA"]+s.Environment["NATS_NAME"] != name {
			t.Errorf("%s: %+v", name, s)
		}
		ids[s.Environment["KEEPER_ID"]] = name
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if file, ok := strings.CutPrefix(from, "./"); ok {
				homeFile(t, file)
			} else if _, ok := compose.Volumes[from]; !ok {
				t.Errorf("%s: no volume %s", name, from)
			}
		}
	}
	if len(compose.Services) != 6 || len(ids) != 4 {
		t.Errorf("%d services, keepers %v", len(compose.Services), ids)
	}
	config := homeFile(t, "clickhouse.xml")
	for _, text := range []string{config, homeFile(t, "users.xml")} {
		for d := xml.NewDecoder(strings.NewReader(text)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, m := range regexp.MustCompile(`<id>(\d)</id><hostname>(\w+)<`).FindAllStringSubmatch(config, -1) {
		if ids[m[1]] != m[2] {
			t.Errorf("keeper %s is %s, and %s in compose.yaml", m[1], m[2], ids[m[1]])
		}
	}
	hosts := regexp.MustCompile(`<host>(\w+)</host>|nats://(\w+):6222`).FindAllStringSubmatch(config+homeFile(t, "nats.conf"), -1)
	for _, m := range hosts {
		if _, ok := compose.Services[m[1]+m[2]]; !ok {
			t.Errorf("there is no %s%s", m[1], m[2])
		}
	}
	if len(hosts) != 6 {
		t.Errorf("hosts %q", hosts)
	}
}

// TestHomeManager has systemd read the manager's unit, and rtfm its configuration.
func TestHomeManager(t *testing.T) {
	analyze := tracetest.Require(t, "systemd-analyze")
	rtfm, err := exec.LookPath("rtfm")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	unit := write("rtfm-manager.service", strings.ReplaceAll(homeFile(t, "rtfm-manager.service"), "/usr/local/bin/rtfm", rtfm))
	if out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	for _, name := range []string{"auth", "privacy", "clickhouse"} {
		write(name, "correct horse battery staple\n")
	}
	config := strings.NewReplacer("/etc/rtfm/", dir+"/", "/var/lib/rtfm/", dir+"/").Replace(homeFile(t, "manager.yaml"))
	succeed(t, "manager", "--config", write("manager.yaml", config), "--check")
}
