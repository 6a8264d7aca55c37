package module

import (
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// TestObjects holds the objects to the modules' texts.
func TestObjects(t *testing.T) {
	names := smitest.Names("../FLOW-METER-MIB.txt", "../RTFM-EXTENSION-MIB.txt")
	names[SysUpTime.Name] = smi.OID{1, 3, 6, 1, 2, 1, 1, 3}
	for _, o := range all {
		if want, ok := names[o.Name]; !ok || o.OID.Compare(want) != 0 {
			t.Errorf("%s is %v, in its module's text %v", o.Name, o.OID, want)
		}
	}
}

func TestInstanceName(t *testing.T) {
	for _, tc := range []struct {
		name smi.OID
		want string
	}{
		{FlowFloodMark.At(0), "flowFloodMark.0"},
		{RtfmBlockData.At(2, 0, 1), "rtfmBlockData.2.0.1"},
		{RtfmMeterStart.OID, "rtfmMeterStart"},
		{smi.OID{1, 3, 6, 1}, "1.3.6.1"},
	} {
		if got := InstanceName(tc.name); got != tc.want {
			t.Errorf("%v is %s, want %s", tc.name, got, tc.want)
		}
	}
}
