package smi_test

import (
	"errors"
	"fmt"
	"testing"

	"rtfm/mib/smi"
)

// TestRefusal finds what to answer in the errors that a Handler may return.
func TestRefusal(t *testing.T) {
	wrong := smi.Error{Status: smi.WrongType, Index: 3}
	for _, tt := range []struct {
		err  error
		want smi.Error
	}{
		{&wrong, wrong},
		{fmt.Errorf("interface 7: %w", &wrong), wrong},
		{errors.New("out of order"), smi.Error{Status: smi.GenErr}},
		{(*smi.Error)(nil), smi.Error{Status: smi.GenErr}},
	} {
		if got := smi.Refusal(tt.err); got != tt.want {
			t.Errorf("%#v: %v, want %v", tt.err, &got, &tt.want)
		}
	}
}

// TestNoPlace has a Handler fail without a place in the request: there is none
// in the answer either, wherever the variables were that it was asked for.
func TestNoPlace(t *testing.T) {
	broken := errors.New("broken")
	out := make([]smi.VarBind, 200)
	_, err := smi.InParts(out, 1<<20, func(from, to int) error {
		if from == 0 {
			return nil
		}
		return broken
	})
	if want := (smi.Error{Status: smi.GenErr}); smi.Refusal(err) != want {
		t.Errorf("%v, want %v", err, &want)
	}
}
