package attr

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestNamesOfTheSystem: where the system has a name that we have too, it is the same
// number. Of ours, ipip is what Linux calls it, not IANA's 94.
func TestNamesOfTheSystem(t *testing.T) {
	for file, a := range map[string]Attr{"/etc/services": DestTransAddress, "/etc/protocols": DestTransType} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Skip(err)
		}
		same, numbers := 0, map[string]map[uint64]bool{}
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(line, "#")
			words := strings.Fields(line)
			if len(words) < 2 {
				continue
			}
			number, transport, _ := strings.Cut(words[1], "/")
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil || transport == "ddp" {
				continue
			}
			for i, name := range words {
				if name = strings.ToLower(name); i != 1 && name != "ipip" {
					if numbers[name] == nil {
						numbers[name] = map[uint64]bool{}
					}
					numbers[name][n] = true
				}
			}
		}
		for name, of := range numbers {
			if v, ok := ValueName(a, name); ok && !of[v.Uint()] {
				t.Errorf("%v: %s is %d, in %s %v", a, name, v.Uint(), file, of)
			} else if ok {
				same++
			}
		}
		if same < 30 {
			t.Errorf("%s: only %d names are ours too", file, same)
		}
	}
}
