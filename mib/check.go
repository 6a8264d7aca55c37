package mib

import (
	"unicode/utf8"

	"rtfm/mib/smi"
)

// The checks look at the type, length and range of a value to be set.

func integer(low, high int32) func(*smi.Value) smi.Status {
	return func(v *smi.Value) smi.Status {
		switch {
		case v.Type != smi.Integer32:
			return smi.WrongType
		case v.Int < low || v.Int > high:
			return smi.WrongValue
		}
		return smi.NoError
	}
}

func octets(shortest, longest int) func(*smi.Value) smi.Status {
	return func(v *smi.Value) smi.Status {
		switch {
		case v.Type != smi.OctetString:
			return smi.WrongType
		case len(v.Octets) < shortest || len(v.Octets) > longest:
			return smi.WrongLength
		}
		return smi.NoError
	}
}

// owner is for UTF8OwnerString.
func owner(v *smi.Value) smi.Status {
	if st := octets(0, 127)(v); st != smi.NoError {
		return st
	}
	if !utf8.Valid(v.Octets) {
		return smi.WrongValue
	}
	return smi.NoError
}

func timeTicks(v *smi.Value) smi.Status {
	if v.Type != smi.TimeTicks {
		return smi.WrongType
	}
	return smi.NoError
}

// truthValue is for TruthValue (RFC 2579).
var truthValue = integer(1, 2)

func truth(b bool) int32 {
	if b {
		return 1
	}
	return 2
}

func setTruth(v *smi.Value, b bool) { v.SetInt(truth(b)) }

// rowStatus is the RowStatus of RFC 2579.
type rowStatus int32

const (
	statusActive        rowStatus = 1
	statusNotInService  rowStatus = 2
	statusNotReady      rowStatus = 3 // is only read
	statusCreateAndGo   rowStatus = 4
	statusCreateAndWait rowStatus = 5
	statusDestroy       rowStatus = 6
)

func rowStatusValue(v *smi.Value) smi.Status {
	if st := integer(1, 6)(v); st != smi.NoError {
		return st
	}
	if rowStatus(v.Int) == statusNotReady {
		return smi.WrongValue
	}
	return smi.NoError
}
