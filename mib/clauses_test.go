package mib

import (
	"os"
	"strings"
	"testing"
)

// TestClauses holds the MIB to the clauses of testdata/clauses.txt.
func TestClauses(t *testing.T) {
	text, err := os.ReadFile("testdata/clauses.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\nclause ")
	clauses := strings.Split(rest, "\nclause ")
	if len(clauses) < 26 {
		t.Errorf("only %d clauses", len(clauses))
	}
	for _, c := range clauses {
		clause, script, _ := strings.Cut(c, "\n")
		t.Run(clause, func(t *testing.T) {
			m := newFakeMeter()
			m.control.Interfaces.Put(1, &Interface{SampleRate: 1, Packets: 10, Lost: 1<<32 + 5})
			for i := range uint32(6) {
				m.add(1, i+1, 10)
			}
			play(t, m, New(m), script)
		})
	}
}
