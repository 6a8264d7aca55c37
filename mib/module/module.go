// Package module names the objects of our two MIB modules, FLOW-METER-MIB (RFC
// 2720 section 4) and RTFM-EXTENSION-MIB, and sysUpTime. Each stands here once, with its name and
// object identifier: for meters, which answer for it, and for readers and
// managers, which ask for it. What an object means, the modules' texts say.
package module

import (
	"slices"

	"rtfm/mib/smi"
)

// Object is a scalar, a column or an entry of a table.
type Object struct {
	Name string
	OID  smi.OID
}

// At returns the name of the object's instance with this index: 0 for a scalar.
func (o *Object) At(index ...uint32) smi.OID { return slices.Concat(o.OID, index) }

// Where the modules have their places.
var (
	FlowMIB = smi.OID{1, 3, 6, 1, 2, 1, 40} // mib-2 40 (RFC 2720)
	// RTFM-EXTENSION-MIB is below the arc that net-snmp keeps for experiments,
	// until an enterprise number is registered.
	Extension = smi.OID{1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 2720}
)

// all are the objects below, in their order.
var all []*Object

func flow(name string, subids ...uint32) *Object { return define(name, FlowMIB, subids) }
func ours(name string, subids ...uint32) *Object { return define(name, Extension, subids) }

func define(name string, module smi.OID, subids []uint32) *Object {
	o := &Object{name, slices.Concat(module, subids)}
	all = append(all, o)
	return o
}

// SysUpTime is of SNMPv2-MIB (RFC 3418 section 2).
var SysUpTime = define("sysUpTime", smi.OID{1, 3, 6, 1, 2, 1, 1}, []uint32{3})

// FLOW-METER-MIB. The columns of FlowDataEntry have attributes' numbers.
var (
	FlowRuleInfoSize        = flow("flowRuleInfoSize", 1, 1, 1, 2)
	FlowRuleInfoOwner       = flow("flowRuleInfoOwner", 1, 1, 1, 3)
	FlowRuleInfoTimeStamp   = flow("flowRuleInfoTimeStamp", 1, 1, 1, 4)
	FlowRuleInfoStatus      = flow("flowRuleInfoStatus", 1, 1, 1, 5)
	FlowRuleInfoName        = flow("flowRuleInfoName", 1, 1, 1, 6)
	FlowRuleInfoRulesReady  = flow("flowRuleInfoRulesReady", 1, 1, 1, 7)
	FlowRuleInfoFlowRecords = flow("flowRuleInfoFlowRecords", 1, 1, 1, 8)

	FlowInterfaceSampleRate  = flow("flowInterfaceSampleRate", 1, 2, 1, 1)
	FlowInterfaceLostPackets = flow("flowInterfaceLostPackets", 1, 2, 1, 2)

	FlowReaderTimeout      = flow("flowReaderTimeout", 1, 3, 1, 2)
	FlowReaderOwner        = flow("flowReaderOwner", 1, 3, 1, 3)
	FlowReaderLastTime     = flow("flowReaderLastTime", 1, 3, 1, 4)
	FlowReaderPreviousTime = flow("flowReaderPreviousTime", 1, 3, 1, 5)
	FlowReaderStatus       = flow("flowReaderStatus", 1, 3, 1, 6)
	FlowReaderRuleSet      = flow("flowReaderRuleSet", 1, 3, 1, 7)

	FlowManagerCurrentRuleSet = flow("flowManagerCurrentRuleSet", 1, 4, 1, 2)
	FlowManagerStandbyRuleSet = flow("flowManagerStandbyRuleSet", 1, 4, 1, 3)
	FlowManagerHighWaterMark  = flow("flowManagerHighWaterMark", 1, 4, 1, 4)
	FlowManagerCounterWrap    = flow("flowManagerCounterWrap", 1, 4, 1, 5)
	FlowManagerOwner          = flow("flowManagerOwner", 1, 4, 1, 6)
	FlowManagerTimeStamp      = flow("flowManagerTimeStamp", 1, 4, 1, 7)
	FlowManagerStatus         = flow("flowManagerStatus", 1, 4, 1, 8)
	FlowManagerRunningStandby = flow("flowManagerRunningStandby", 1, 4, 1, 9)

	FlowFloodMark         = flow("flowFloodMark", 1, 5)
	FlowInactivityTimeout = flow("flowInactivityTimeout", 1, 6)
	FlowActiveFlows       = flow("flowActiveFlows", 1, 7)
	FlowMaxFlows          = flow("flowMaxFlows", 1, 8)
	FlowFloodMode         = flow("flowFloodMode", 1, 9)

	FlowDataEntry = flow("flowDataEntry", 2, 1, 1)

	FlowColumnActivityAttribute = flow("flowColumnActivityAttribute", 2, 2, 1, 1)
	FlowColumnActivityTime      = flow("flowColumnActivityTime", 2, 2, 1, 2)
	FlowColumnActivityIndex     = flow("flowColumnActivityIndex", 2, 2, 1, 3)
	FlowColumnActivityData      = flow("flowColumnActivityData", 2, 2, 1, 4)

	FlowPackageData = flow("flowPackageData", 2, 3, 1, 5)

	FlowRuleSelector     = flow("flowRuleSelector", 3, 1, 1, 3)
	FlowRuleMask         = flow("flowRuleMask", 3, 1, 1, 4)
	FlowRuleMatchedValue = flow("flowRuleMatchedValue", 3, 1, 1, 5)
	FlowRuleAction       = flow("flowRuleAction", 3, 1, 1, 6)
	FlowRuleParameter    = flow("flowRuleParameter", 3, 1, 1, 7)
)

// RTFM-EXTENSION-MIB.
var (
	RtfmMeterVersion        = ours("rtfmMeterVersion", 1, 1, 1)
	RtfmMeterBoot           = ours("rtfmMeterBoot", 1, 1, 2)
	RtfmMeterUptime         = ours("rtfmMeterUptime", 1, 1, 3)
	RtfmMeterStart          = ours("rtfmMeterStart", 1, 1, 4)
	RtfmMeterMemory         = ours("rtfmMeterMemory", 1, 1, 5)
	RtfmMeterFlowsCreated   = ours("rtfmMeterFlowsCreated", 1, 1, 6)
	RtfmMeterFlowsRecovered = ours("rtfmMeterFlowsRecovered", 1, 1, 7)
	RtfmMeterNow            = ours("rtfmMeterNow", 1, 1, 8)
	RtfmMeterEnding         = ours("rtfmMeterEnding", 1, 1, 9)
	RtfmMeterFloods         = ours("rtfmMeterFloods", 1, 1, 10)
	RtfmMeterStartDate      = ours("rtfmMeterStartDate", 1, 1, 11)
	RtfmMeterStartExact     = ours("rtfmMeterStartExact", 1, 1, 12)
	RtfmMeterNowDate        = ours("rtfmMeterNowDate", 1, 1, 13)
	RtfmMeterNowExact       = ours("rtfmMeterNowExact", 1, 1, 14)
	RtfmMeterMemoryUsed     = ours("rtfmMeterMemoryUsed", 1, 1, 15)

	RtfmPacketsMetered     = ours("rtfmPacketsMetered", 1, 2, 1)
	RtfmPacketsOctets      = ours("rtfmPacketsOctets", 1, 2, 2)
	RtfmPacketsCut         = ours("rtfmPacketsCut", 1, 2, 3)
	RtfmPacketsMalformed   = ours("rtfmPacketsMalformed", 1, 2, 4)
	RtfmPacketsUnknownLink = ours("rtfmPacketsUnknownLink", 1, 2, 5)
	RtfmPacketsBackInTime  = ours("rtfmPacketsBackInTime", 1, 2, 6)
	RtfmPacketsLost        = ours("rtfmPacketsLost", 1, 2, 7)
	RtfmPacketsDuplicates  = ours("rtfmPacketsDuplicates", 1, 2, 8)
	RtfmPacketsSampledOut  = ours("rtfmPacketsSampledOut", 1, 2, 9)
	RtfmPacketsOutliers    = ours("rtfmPacketsOutliers", 1, 2, 10)
	RtfmPacketsClamped     = ours("rtfmPacketsClamped", 1, 2, 11)
	RtfmPacketsFiltered    = ours("rtfmPacketsFiltered", 1, 2, 12)

	RtfmPacketsDecapsulated      = ours("rtfmPacketsDecapsulated", 1, 2, 13)
	RtfmPacketsEnvelopeFragments = ours("rtfmPacketsEnvelopeFragments", 1, 2, 14)
	RtfmPacketsEnvelopesCut      = ours("rtfmPacketsEnvelopesCut", 1, 2, 15)
	RtfmPacketsEnvelopesUnknown  = ours("rtfmPacketsEnvelopesUnknown", 1, 2, 16)
	RtfmPacketsDuplicatesRouted  = ours("rtfmPacketsDuplicatesRouted", 1, 2, 17)

	RtfmRuleSetMatched   = ours("rtfmRuleSetMatched", 1, 3, 1, 1)
	RtfmRuleSetIgnored   = ours("rtfmRuleSetIgnored", 1, 3, 1, 2)
	RtfmRuleSetUnmatched = ours("rtfmRuleSetUnmatched", 1, 3, 1, 3)
	RtfmRuleSetStopped   = ours("rtfmRuleSetStopped", 1, 3, 1, 4)
	RtfmRuleSetUncounted = ours("rtfmRuleSetUncounted", 1, 3, 1, 5)
	RtfmRuleSetPackets   = ours("rtfmRuleSetPackets", 1, 3, 1, 6)

	RtfmInterfacePackets = ours("rtfmInterfacePackets", 1, 4, 1, 1)
	RtfmInterfaceLost    = ours("rtfmInterfaceLost", 1, 4, 1, 2)
	RtfmInterfaceName    = ours("rtfmInterfaceName", 1, 4, 1, 3)

	RtfmTraceState       = ours("rtfmTraceState", 1, 5, 1)
	RtfmTraceCollections = ours("rtfmTraceCollections", 1, 5, 2)
	RtfmTraceFrom        = ours("rtfmTraceFrom", 1, 5, 3)
	RtfmTraceTo          = ours("rtfmTraceTo", 1, 5, 4)
	RtfmTraceToTime      = ours("rtfmTraceToTime", 1, 5, 5)
	RtfmTracePassedOver  = ours("rtfmTracePassedOver", 1, 5, 6)
	RtfmTraceCollected   = ours("rtfmTraceCollected", 1, 5, 7)
	RtfmTraceToDate      = ours("rtfmTraceToDate", 1, 5, 8)
	RtfmTraceToExact     = ours("rtfmTraceToExact", 1, 5, 9)

	RtfmBlockData = ours("rtfmBlockData", 1, 6, 1, 6)

	RtfmStreamsActive     = ours("rtfmStreamsActive", 1, 7, 1)
	RtfmStreamsCreated    = ours("rtfmStreamsCreated", 1, 7, 2)
	RtfmStreamsEnded      = ours("rtfmStreamsEnded", 1, 7, 3)
	RtfmStreamsUnstreamed = ours("rtfmStreamsUnstreamed", 1, 7, 4)

	RtfmSeriesFrom        = ours("rtfmSeriesFrom", 1, 8, 1, 4)
	RtfmSeriesTo          = ours("rtfmSeriesTo", 1, 8, 1, 5)
	RtfmSeriesPDUs        = ours("rtfmSeriesPDUs", 1, 8, 1, 6)
	RtfmSeriesOctets      = ours("rtfmSeriesOctets", 1, 8, 1, 7)
	RtfmSeriesIgnored     = ours("rtfmSeriesIgnored", 1, 8, 1, 8)
	RtfmSeriesUnmatched   = ours("rtfmSeriesUnmatched", 1, 8, 1, 9)
	RtfmSeriesStopped     = ours("rtfmSeriesStopped", 1, 8, 1, 10)
	RtfmSeriesUncounted   = ours("rtfmSeriesUncounted", 1, 8, 1, 11)
	RtfmSeriesActiveFlows = ours("rtfmSeriesActiveFlows", 1, 8, 1, 12)
	RtfmSeriesNewFlows    = ours("rtfmSeriesNewFlows", 1, 8, 1, 13)
	RtfmSeriesFlows       = ours("rtfmSeriesFlows", 1, 8, 1, 14)
	RtfmSeriesFiltered    = ours("rtfmSeriesFiltered", 1, 8, 1, 15)
	RtfmSeriesLost        = ours("rtfmSeriesLost", 1, 8, 1, 16)

	RtfmFlowIDIndex     = ours("rtfmFlowIdIndex", 1, 9, 1, 2)
	RtfmFlowIDFirstTime = ours("rtfmFlowIdFirstTime", 1, 9, 1, 3)

	RtfmFeedURL             = ours("rtfmFeedURL", 1, 10, 1)
	RtfmFeedDomain          = ours("rtfmFeedDomain", 1, 10, 2)
	RtfmFeedIDBits          = ours("rtfmFeedIdBits", 1, 10, 3)
	RtfmFeedMTU             = ours("rtfmFeedMTU", 1, 10, 4)
	RtfmFeedDelay           = ours("rtfmFeedDelay", 1, 10, 5)
	RtfmFeedIdle            = ours("rtfmFeedIdle", 1, 10, 6)
	RtfmFeedQueue           = ours("rtfmFeedQueue", 1, 10, 7)
	RtfmFeedFirst           = ours("rtfmFeedFirst", 1, 10, 8)
	RtfmFeedRules           = ours("rtfmFeedRules", 1, 10, 9)
	RtfmFeedDigest          = ours("rtfmFeedDigest", 1, 10, 10)
	RtfmFeedState           = ours("rtfmFeedState", 1, 10, 11)
	RtfmFeedError           = ours("rtfmFeedError", 1, 10, 12)
	RtfmFeedOpened          = ours("rtfmFeedOpened", 1, 10, 13)
	RtfmFeedMessages        = ours("rtfmFeedMessages", 1, 10, 14)
	RtfmFeedRecords         = ours("rtfmFeedRecords", 1, 10, 15)
	RtfmFeedDroppedMessages = ours("rtfmFeedDroppedMessages", 1, 10, 16)
	RtfmFeedDroppedRecords  = ours("rtfmFeedDroppedRecords", 1, 10, 17)
	RtfmFeedFlows           = ours("rtfmFeedFlows", 1, 10, 18)

	RtfmFeedFlowRuleSet   = ours("rtfmFeedFlowRuleSet", 1, 11, 1, 2)
	RtfmFeedFlowIndex     = ours("rtfmFeedFlowIndex", 1, 11, 1, 3)
	RtfmFeedFlowFirstTime = ours("rtfmFeedFlowFirstTime", 1, 11, 1, 4)
)

// InstanceName returns the name of an instance for people: the object's, and the
// index after a period; in numbers if the object is none of those above.
func InstanceName(name smi.OID) string {
	for _, o := range all {
		if name.HasPrefix(o.OID) {
			if index := name[len(o.OID):]; len(index) > 0 {
				return o.Name + "." + index.String()
			}
			return o.Name
		}
	}
	return name.String()
}
