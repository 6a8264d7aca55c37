package record

import "testing"

// TestColumns: names are of one column each, and every type is known.
func TestColumns(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range Columns() {
		switch c.Type {
		case "string", "uint8", "uint16", "uint32", "uint64", "int64", "json":
		default:
			t.Errorf("%s has type %q", c.Name, c.Type)
		}
		if seen[c.Name] {
			t.Errorf("two columns %s", c.Name)
		}
		seen[c.Name] = true
	}
	if len(seen) < 150 {
		t.Errorf("%d columns", len(seen))
	}
}
