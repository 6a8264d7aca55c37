package store

import (
	"slices"
	"testing"
)

// TestLate finds the chunks that tell what time it was when wanted packets came.
func TestLate(t *testing.T) {
	for _, tt := range []struct {
		name         string
		times        [][2]int64 // first and last
		wanted, want []bool
	}{
		{"in order", [][2]int64{{0, 9}, {10, 19}, {20, 29}, {30, 39}}, []bool{false, true, false, false}, []bool{false, true, false, true}},
		{"the one before is later", [][2]int64{{0, 9}, {10, 22}, {20, 29}, {30, 39}}, []bool{false, false, true, false}, []bool{false, true, true, true}},
		{"one long before is", [][2]int64{{0, 50}, {10, 19}, {20, 29}}, []bool{false, false, true}, []bool{true, false, true}},
		{"one behind is", [][2]int64{{0, 9}, {5, 50}, {20, 29}}, []bool{true, false, false}, []bool{true, false, true}},
		{"none is wanted", [][2]int64{{0, 9}, {5, 50}, {20, 29}}, []bool{false, false, false}, []bool{false, false, true}},
		{"none is there", nil, nil, nil},
	} {
		var chunks []place
		for _, at := range tt.times {
			chunks = append(chunks, place{first: at[0], last: at[1]})
		}
		if late(chunks, tt.wanted); !slices.Equal(tt.wanted, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.wanted, tt.want)
		}
	}
}
