package client

import (
	"slices"

	"rtfm/mib"
	"rtfm/mib/smi"
)

// object is a scalar or a column of FLOW-METER-MIB (RFC 2720 section 4), of
// RTFM-EXTENSION-MIB or of SNMPv2-MIB.
type object struct {
	name string
	oid  smi.OID
}

// at returns the name of the object's instance with this index.
func (o *object) at(index ...uint32) smi.OID { return slices.Concat(o.oid, index) }

var (
	flowMIB   = mib.Subtrees()[0]
	extension = mib.Subtrees()[1]
)

func flow(name string, subids ...uint32) *object {
	return &object{name, slices.Concat(flowMIB, subids)}
}
func ours(name string, subids ...uint32) *object {
	return &object{name, slices.Concat(extension, subids)}
}

// The scalars.
var (
	sysUpTime               = &object{"sysUpTime", smi.OID{1, 3, 6, 1, 2, 1, 1, 3}} // RFC 3418 section 2
	flowFloodMark           = flow("flowFloodMark", 1, 5)
	flowInactivityTimeout   = flow("flowInactivityTimeout", 1, 6)
	flowActiveFlows         = flow("flowActiveFlows", 1, 7)
	flowMaxFlows            = flow("flowMaxFlows", 1, 8)
	flowFloodMode           = flow("flowFloodMode", 1, 9)
	rtfmMeterVersion        = ours("rtfmMeterVersion", 1, 1, 1)
	rtfmMeterBoot           = ours("rtfmMeterBoot", 1, 1, 2)
	rtfmMeterUptime         = ours("rtfmMeterUptime", 1, 1, 3)
	rtfmMeterStart          = ours("rtfmMeterStart", 1, 1, 4)
	rtfmMeterMemory         = ours("rtfmMeterMemory", 1, 1, 5)
	rtfmMeterFlowsCreated   = ours("rtfmMeterFlowsCreated", 1, 1, 6)
	rtfmMeterFlowsRecovered = ours("rtfmMeterFlowsRecovered", 1, 1, 7)
	rtfmMeterNow            = ours("rtfmMeterNow", 1, 1, 8)
	rtfmMeterEnding         = ours("rtfmMeterEnding", 1, 1, 9)
	rtfmMeterFloods         = ours("rtfmMeterFloods", 1, 1, 10)
	rtfmMeterStartExact     = ours("rtfmMeterStartExact", 1, 1, 12)
	rtfmMeterNowExact       = ours("rtfmMeterNowExact", 1, 1, 14)
	rtfmMeterMemoryUsed     = ours("rtfmMeterMemoryUsed", 1, 1, 15)
	rtfmPacketsMetered      = ours("rtfmPacketsMetered", 1, 2, 1)
	rtfmPacketsOctets       = ours("rtfmPacketsOctets", 1, 2, 2)
	rtfmPacketsCut          = ours("rtfmPacketsCut", 1, 2, 3)
	rtfmPacketsMalformed    = ours("rtfmPacketsMalformed", 1, 2, 4)
	rtfmPacketsUnknownLink  = ours("rtfmPacketsUnknownLink", 1, 2, 5)
	rtfmPacketsBackInTime   = ours("rtfmPacketsBackInTime", 1, 2, 6)
	rtfmPacketsLost         = ours("rtfmPacketsLost", 1, 2, 7)
	rtfmPacketsDuplicates   = ours("rtfmPacketsDuplicates", 1, 2, 8)
	rtfmPacketsSampledOut   = ours("rtfmPacketsSampledOut", 1, 2, 9)
	rtfmPacketsOutliers     = ours("rtfmPacketsOutliers", 1, 2, 10)
	rtfmPacketsClamped      = ours("rtfmPacketsClamped", 1, 2, 11)
	rtfmStreamsActive       = ours("rtfmStreamsActive", 1, 7, 1)
	rtfmStreamsCreated      = ours("rtfmStreamsCreated", 1, 7, 2)
	rtfmStreamsEnded        = ours("rtfmStreamsEnded", 1, 7, 3)
	rtfmStreamsUnstreamed   = ours("rtfmStreamsUnstreamed", 1, 7, 4)
	rtfmTraceState          = ours("rtfmTraceState", 1, 5, 1)
	rtfmTraceCollections    = ours("rtfmTraceCollections", 1, 5, 2)
	rtfmTraceToTime         = ours("rtfmTraceToTime", 1, 5, 5)
	rtfmTracePassedOver     = ours("rtfmTracePassedOver", 1, 5, 6)
	rtfmTraceCollected      = ours("rtfmTraceCollected", 1, 5, 7)
	rtfmTraceToExact        = ours("rtfmTraceToExact", 1, 5, 9)
)

// The columns.
var (
	flowRuleInfoSize       = flow("flowRuleInfoSize", 1, 1, 1, 2)
	flowRuleInfoOwner      = flow("flowRuleInfoOwner", 1, 1, 1, 3)
	flowRuleInfoTimeStamp  = flow("flowRuleInfoTimeStamp", 1, 1, 1, 4)
	flowRuleInfoStatus     = flow("flowRuleInfoStatus", 1, 1, 1, 5)
	flowRuleInfoName       = flow("flowRuleInfoName", 1, 1, 1, 6)
	flowRuleInfoRulesReady = flow("flowRuleInfoRulesReady", 1, 1, 1, 7)
	flowRuleInfoFlowRecs   = flow("flowRuleInfoFlowRecords", 1, 1, 1, 8)

	flowInterfaceSampleRate  = flow("flowInterfaceSampleRate", 1, 2, 1, 1)
	flowInterfaceLostPackets = flow("flowInterfaceLostPackets", 1, 2, 1, 2)

	flowReaderTimeout      = flow("flowReaderTimeout", 1, 3, 1, 2)
	flowReaderOwner        = flow("flowReaderOwner", 1, 3, 1, 3)
	flowReaderLastTime     = flow("flowReaderLastTime", 1, 3, 1, 4)
	flowReaderPreviousTime = flow("flowReaderPreviousTime", 1, 3, 1, 5)
	flowReaderStatus       = flow("flowReaderStatus", 1, 3, 1, 6)
	flowReaderRuleSet      = flow("flowReaderRuleSet", 1, 3, 1, 7)

	flowManagerCurrentRuleSet = flow("flowManagerCurrentRuleSet", 1, 4, 1, 2)
	flowManagerStandbyRuleSet = flow("flowManagerStandbyRuleSet", 1, 4, 1, 3)
	flowManagerHighWaterMark  = flow("flowManagerHighWaterMark", 1, 4, 1, 4)
	flowManagerOwner          = flow("flowManagerOwner", 1, 4, 1, 6)
	flowManagerTimeStamp      = flow("flowManagerTimeStamp", 1, 4, 1, 7)
	flowManagerStatus         = flow("flowManagerStatus", 1, 4, 1, 8)
	flowManagerRunningStandby = flow("flowManagerRunningStandby", 1, 4, 1, 9)

	flowDataEntry   = flow("flowDataEntry", 2, 1, 1)
	flowPackageData = flow("flowPackageData", 2, 3, 1, 5)

	flowRuleSelector     = flow("flowRuleSelector", 3, 1, 1, 3)
	flowRuleMask         = flow("flowRuleMask", 3, 1, 1, 4)
	flowRuleMatchedValue = flow("flowRuleMatchedValue", 3, 1, 1, 5)
	flowRuleAction       = flow("flowRuleAction", 3, 1, 1, 6)
	flowRuleParameter    = flow("flowRuleParameter", 3, 1, 1, 7)

	rtfmRuleSetMatched   = ours("rtfmRuleSetMatched", 1, 3, 1, 1)
	rtfmRuleSetIgnored   = ours("rtfmRuleSetIgnored", 1, 3, 1, 2)
	rtfmRuleSetUnmatched = ours("rtfmRuleSetUnmatched", 1, 3, 1, 3)
	rtfmRuleSetStopped   = ours("rtfmRuleSetStopped", 1, 3, 1, 4)
	rtfmRuleSetUncounted = ours("rtfmRuleSetUncounted", 1, 3, 1, 5)
	rtfmRuleSetPackets   = ours("rtfmRuleSetPackets", 1, 3, 1, 6)

	rtfmInterfacePackets = ours("rtfmInterfacePackets", 1, 4, 1, 1)
	rtfmInterfaceLost    = ours("rtfmInterfaceLost", 1, 4, 1, 2)
	rtfmInterfaceName    = ours("rtfmInterfaceName", 1, 4, 1, 3)

	rtfmBlockData = ours("rtfmBlockData", 1, 6, 1, 6)
)

// objects are all of the above.
var objects = []*object{
	sysUpTime, flowFloodMark, flowInactivityTimeout, flowActiveFlows, flowMaxFlows, flowFloodMode,
	rtfmMeterVersion, rtfmMeterBoot, rtfmMeterUptime, rtfmMeterStart, rtfmMeterMemory, rtfmMeterFlowsCreated,
	rtfmMeterFlowsRecovered, rtfmMeterNow, rtfmMeterEnding, rtfmMeterFloods, rtfmMeterStartExact, rtfmMeterNowExact,
	rtfmMeterMemoryUsed, rtfmPacketsMetered, rtfmPacketsOctets, rtfmPacketsCut, rtfmPacketsMalformed, rtfmPacketsUnknownLink, rtfmPacketsBackInTime,
	rtfmPacketsLost, rtfmPacketsDuplicates, rtfmPacketsSampledOut, rtfmPacketsOutliers, rtfmPacketsClamped, rtfmStreamsActive, rtfmStreamsCreated, rtfmStreamsEnded, rtfmStreamsUnstreamed, rtfmTraceState, rtfmTraceCollections, rtfmTraceToTime, rtfmTracePassedOver, rtfmTraceCollected, rtfmTraceToExact,
	flowRuleInfoSize, flowRuleInfoOwner, flowRuleInfoTimeStamp, flowRuleInfoStatus, flowRuleInfoName,
	flowRuleInfoRulesReady, flowRuleInfoFlowRecs, flowInterfaceSampleRate, flowInterfaceLostPackets,
	flowReaderTimeout, flowReaderOwner, flowReaderLastTime, flowReaderPreviousTime, flowReaderStatus,
	flowReaderRuleSet, flowManagerCurrentRuleSet, flowManagerStandbyRuleSet, flowManagerHighWaterMark,
	flowManagerOwner, flowManagerTimeStamp, flowManagerStatus, flowManagerRunningStandby,
	flowDataEntry, flowPackageData, flowRuleSelector, flowRuleMask, flowRuleMatchedValue, flowRuleAction,
	flowRuleParameter, rtfmRuleSetMatched, rtfmRuleSetIgnored, rtfmRuleSetUnmatched, rtfmRuleSetStopped,
	rtfmRuleSetUncounted, rtfmRuleSetPackets, rtfmInterfacePackets, rtfmInterfaceLost, rtfmInterfaceName, rtfmBlockData,
}

// objectName returns the name of an instance for people: the object's, and
// the index after a period; in numbers if the object is none of those above.
func objectName(name smi.OID) string {
	for _, o := range objects {
		if name.HasPrefix(o.oid) {
			if index := name[len(o.oid):]; len(index) > 0 {
				return o.name + "." + index.String()
			}
			return o.name
		}
	}
	return name.String()
}
