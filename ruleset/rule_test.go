package ruleset

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestOpcodePictures wants a picture behind every opcode that agrees with what
// the opcode's flags are.
func TestOpcodePictures(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "rule.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	pictures := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Op") && v.Comment != nil {
			pictures[strings.TrimPrefix(v.Names[0].Name, "Op")] = v.Comment.Text()
		}
		return true
	})
	for op := Opcode(1); op.Valid(); op++ {
		picture := pictures[op.String()]
		for _, c := range []struct {
			has  bool
			text string
		}{
			{true, " → "},
			{op.HasTarget() && op.TestsNext(), "; test p"},
			{op.HasTarget() && !op.TestsNext(), "; act p"},
			{!op.HasTarget() && op != OpReturn, "the match ends"},
			{op.Pushes(), "q,(a m "},
		} {
			if strings.Contains(picture, c.text) != c.has {
				t.Errorf("%v: the picture %q has %q: want %v", op, picture, c.text, c.has)
			}
		}
	}
}
