package smi

// RowStatus is the textual convention of this name (RFC 2579 section 2): what a
// row is, or what is to become of it.
type RowStatus int32

// The values.
const (
	RowActive        RowStatus = 1
	RowNotInService  RowStatus = 2
	RowNotReady      RowStatus = 3 // is only read
	RowCreateAndGo   RowStatus = 4
	RowCreateAndWait RowStatus = 5
	RowDestroy       RowStatus = 6
)

// The values of TruthValue (RFC 2579 section 2).
const (
	True  = 1
	False = 2
)

// Truth returns the TruthValue of b.
func Truth(b bool) int32 {
	if b {
		return True
	}
	return False
}
