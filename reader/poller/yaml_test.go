package poller

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestWriteYAML reads random values back: texts that look like something else stay texts.
func TestWriteYAML(t *testing.T) {
	texts := []string{
		"", " ", "a", "a b", " a", "a ", "a:", "a: b", "a #b", "#a", "- a", "-", "~", "null", "Null", "True", "no", "OFF", "y", "1", "0.8", "1.2.3", "1e3", "0x1f", "0o7",
		"1:30", "2026-11-23", ".inf", "NaN", "a,b", "[a]", "{a}", "*a", "&a", "!a", "|", ">", "@a", "%a", "`a", `"a"`, "'a'", "a'b", "<a & b>", "a\nb", "a\tb", "\u2028", "é", "=", "<<",
	}
	r := rand.New(rand.NewPCG(1, 2))
	var value func(depth int) any
	value = func(depth int) any {
		switch kind := r.IntN(6); {
		case depth > 0 && kind < 2:
			m := make(map[string]any)
			for range r.IntN(4) {
				m[texts[r.IntN(len(texts))]] = value(depth - 1)
			}
			return m
		case depth > 0 && kind < 4:
			s := []any{}
			for range r.IntN(4) {
				item := value(depth - 1)
				if _, nested := item.([]any); !nested { // which nothing has
					s = append(s, item)
				}
			}
			return s
		case kind == 4:
			return r.IntN(2) == 0
		case kind == 5:
			return float64(r.IntN(1000)) + 0.5
		}
		return texts[r.IntN(len(texts))]
	}
	for range 5000 {
		want := map[string]any{"a": value(4), "b": value(3)}
		var text bytes.Buffer
		if err := writeYAML(&text, want); err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := yaml.Unmarshal(text.Bytes(), &got); err != nil {
			t.Fatalf("%v\n%s", err, &text)
		}
		if !reflect.DeepEqual(got, want) {
			shown, _ := json.Marshal(want)
			t.Fatalf("%v of\n%s\nwhich is %s", got, &text, shown)
		}
	}
}
