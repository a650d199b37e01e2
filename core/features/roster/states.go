package roster

import "github.com/dragoman-im/dragoman/core/stanza"

// State is one of the nine subscription states of RFC 6121 Appendix A.1.
type State uint8

// The states, in the order of the appendix: N none, T to, F from, B both; PO pending out, PI pending
// in, POI pending out and in.
const (
	stateN State = iota
	stateNPO
	stateNPI
	stateNPOI
	stateT
	stateTPI
	stateF
	stateFPO
	stateB
	states int = iota
)

// stateFields has the fields of an Entry in each state.
var stateFields = [states]struct {
	sub     Subscription
	out, in bool
}{
	stateN: {None, false, false}, stateNPO: {None, true, false}, stateNPI: {None, false, true}, stateNPOI: {None, true, true},
	stateT: {To, false, false}, stateTPI: {To, false, true},
	stateF: {From, false, false}, stateFPO: {From, true, false},
	stateB: {Both, false, false},
}

// stateOf returns the state of an entry. A request of a contact that is subscribed already, or a request
// for a subscription that the account has already, is ignored.
func stateOf(e *Entry) State {
	in := e.Request != nil
	switch e.Subscription {
	case Both:
		return stateB
	case To:
		if in {
			return stateTPI
		}
		return stateT
	case From:
		if e.Ask {
			return stateFPO
		}
		return stateF
	}
	switch {
	case e.Ask && in:
		return stateNPOI
	case e.Ask:
		return stateNPO
	case in:
		return stateNPI
	}
	return stateN
}

// step is a cell of a table: the next state, and whether the stanza passes.
type step struct {
	next State
	pass bool // outbound: it is routed; inbound: it is delivered
}

// do and skip abbreviate the cells below.
func do(next State) step   { return step{next, true} }
func skip(next State) step { return step{next, false} }

type table [states]step

// outboundSteps is RFC 6121 Appendix A.2. A "subscribed" that is not routed, to a contact without a
// subscription, is a pre-approval (§3.4.2).
var outboundSteps = map[string]table{
	stanza.TypeSubscribe: { // A.2.1
		stateN: do(stateNPO), stateNPO: do(stateNPO), stateNPI: do(stateNPOI), stateNPOI: do(stateNPOI),
		stateT: do(stateT), stateTPI: do(stateTPI), stateF: do(stateFPO), stateFPO: do(stateFPO), stateB: do(stateB),
	},
	stanza.TypeUnsubscribe: { // A.2.2
		stateN: do(stateN), stateNPO: do(stateN), stateNPI: do(stateNPI), stateNPOI: do(stateNPI),
		stateT: do(stateN), stateTPI: do(stateNPI), stateF: do(stateF), stateFPO: do(stateF), stateB: do(stateF),
	},
	stanza.TypeSubscribed: { // A.2.3
		stateN: skip(stateN), stateNPO: skip(stateNPO), stateNPI: do(stateF), stateNPOI: do(stateFPO),
		stateT: skip(stateT), stateTPI: do(stateB), stateF: skip(stateF), stateFPO: skip(stateFPO), stateB: skip(stateB),
	},
	stanza.TypeUnsubscribed: { // A.2.4
		stateN: skip(stateN), stateNPO: skip(stateNPO), stateNPI: do(stateN), stateNPOI: do(stateNPO),
		stateT: skip(stateT), stateTPI: do(stateT), stateF: do(stateN), stateFPO: do(stateNPO), stateB: do(stateT),
	},
}

// inboundSteps is RFC 6121 Appendix A.3.
var inboundSteps = map[string]table{
	stanza.TypeSubscribe: { // A.3.1
		stateN: do(stateNPI), stateNPO: do(stateNPOI), stateNPI: skip(stateNPI), stateNPOI: skip(stateNPOI),
		stateT: do(stateTPI), stateTPI: skip(stateTPI), stateF: skip(stateF), stateFPO: skip(stateFPO), stateB: skip(stateB),
	},
	stanza.TypeUnsubscribe: { // A.3.2
		stateN: skip(stateN), stateNPO: skip(stateNPO), stateNPI: do(stateN), stateNPOI: do(stateNPO),
		stateT: skip(stateT), stateTPI: do(stateT), stateF: do(stateN), stateFPO: do(stateNPO), stateB: do(stateT),
	},
	stanza.TypeSubscribed: { // A.3.3
		stateN: skip(stateN), stateNPO: do(stateT), stateNPI: skip(stateNPI), stateNPOI: do(stateTPI),
		stateT: skip(stateT), stateTPI: skip(stateTPI), stateF: skip(stateF), stateFPO: do(stateB), stateB: skip(stateB),
	},
	stanza.TypeUnsubscribed: { // A.3.4
		stateN: skip(stateN), stateNPO: do(stateN), stateNPI: skip(stateNPI), stateNPOI: do(stateNPI),
		stateT: do(stateN), stateTPI: do(stateNPI), stateF: skip(stateF), stateFPO: do(stateF), stateB: do(stateF),
	},
}

// preApproved has the next state for an inbound "subscribe" of a contact that the account has approved
// beforehand: the request is granted at once and not delivered (RFC 6121 §3.4.2).
var preApproved = [states]State{
	stateN: stateF, stateNPO: stateFPO, stateNPI: stateF, stateNPOI: stateFPO,
	stateT: stateB, stateTPI: stateB, stateF: stateF, stateFPO: stateFPO, stateB: stateB,
}

// setState sets the fields of an entry to a state. If the state has a pending inbound request and the
// entry has none, request is stored. A contact is listed in the roster from its first subscription or
// outbound request on.
func (e *Entry) setState(s State, request *stanza.Stanza) {
	e.Subscription, e.Ask = stateFields[s].sub, stateFields[s].out
	switch {
	case !stateFields[s].in:
		e.Request = nil
	case e.Request == nil:
		e.Request = request
	}
	if e.Subscription != None || e.Ask {
		e.Listed = true
	}
}
