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
var truthValue = integer(smi.True, smi.False)

func setTruth(v *smi.Value, b bool) { v.SetInt(smi.Truth(b)) }

// rowStatusValue is for RowStatus (RFC 2579).
func rowStatusValue(v *smi.Value) smi.Status {
	if st := integer(int32(smi.RowActive), int32(smi.RowDestroy))(v); st != smi.NoError {
		return st
	}
	if smi.RowStatus(v.Int) == smi.RowNotReady {
		return smi.WrongValue
	}
	return smi.NoError
}
