package integration_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// streamState is how far a hostile stream gets before it sends its hostile input.
type streamState uint8

const (
	connected        streamState = iota // connected
	sawFeatures                         // has read the features before TLS
	sawFeaturesInTLS                    // has read those within TLS
	loggedIn                            // has logged in
	bound                               // has a session
	componentNew                        // connected to the listener of components
	componentOn                         // has proved its secret
	streamStates
)

// hostileInput is one kind of input.
type hostileInput struct {
	name string
	// text is the input; before login the limits are narrower.
	text func(r *rand.Rand, at streamState) string
	// streamError is what the server answers, where it has read all; "" where that depends.
	streamError string
	from        streamState // the first depth where that is so
}

const aMessage = "<message to='mallory0@test.example' type='chat' id='h'><body>x &amp; y é</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>"

// insertInBody puts s between two characters of the body of a valid stanza.
func insertInBody(s string) string {
	return "<message to='mallory0@test.example'><body>ab" + s + "cd</body></message>"
}

func fixed(list ...string) func(*rand.Rand, streamState) string {
	return func(r *rand.Rand, _ streamState) string { return list[r.IntN(len(list))] }
}

// size is a bit more than a stanza may have in that state.
func size(r *rand.Rand, at streamState) int {
	switch at {
	case loggedIn, bound:
		return 256<<10 + r.IntN(64<<10)
	case componentOn:
		return 512<<10 + r.IntN(64<<10)
	}
	return 10_000 + r.IntN(64<<10)
}

func repeated(before, again string, of func(at streamState) int) func(*rand.Rand, streamState) string {
	return func(r *rand.Rand, at streamState) string {
		return before + strings.Repeat(again, of(at)+r.IntN(2000))
	}
}

func small(at streamState) bool { return at != loggedIn && at != bound && at != componentOn }

// hostileInputs are all inputs. After those that are incomplete the client closes the connection.
var hostileInputs = []hostileInput{
	{"truncated", func(r *rand.Rand, _ streamState) string { return aMessage[:1+r.IntN(len(aMessage)-2)] }, "", 0},
	{"oversized", func(r *rand.Rand, at streamState) string { return "<message><body>" + strings.Repeat("x", size(r, at)) }, "stanza-too-big", sawFeatures},
	{"oversized attribute", func(r *rand.Rand, at streamState) string { return "<message id='" + strings.Repeat("x", size(r, at)) }, "stanza-too-big", sawFeatures},
	{"wrong namespace", fixed("<message xmlns='jabber:server' from='alice@test.example' to='bob@test.example'><body>forged</body></message>",
		"<iq xmlns='jabber:server' type='get' id='1'/>", "<message xmlns='jabber:server'/>"), "invalid-namespace", sawFeatures},
	{"wrong header", fixed("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='test.example'>",
		"<stream:stream xmlns='jabber:client' xmlns:stream='urn:x' to='test.example' version='1.0'>", "<stream xmlns='jabber:client'>"), "", 0},
	{"invalid UTF-8", func(r *rand.Rand, _ streamState) string {
		bad := []string{"\xff", "\xc0\xbe", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x28\xa1", "\xc3", "\xfe\xff"}
		return insertInBody(bad[r.IntN(len(bad))])
	}, "unsupported-encoding", sawFeatures},
	{"control characters", func(r *rand.Rand, _ streamState) string { return insertInBody(string(rune(r.IntN(9)))) }, "not-well-formed", sawFeatures},
	{"entity bomb", fixed("<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;'>]><message>&lol2;</message>",
		insertInBody("&lol9;"), "<?php evil ?>", "<!-- x -->", "<message><!-- x --></message>"), "restricted-xml", sawFeatures},
	{"deep", repeated("", "<a>", func(at streamState) int { return 70 }), "policy-violation", sawFeatures},
	{"many elements", repeated("<message>", "<a/>", func(at streamState) int {
		if small(at) {
			return 32
		}
		return 8000
	}), "policy-violation", sawFeatures},
	{"many attributes", func(r *rand.Rand, _ streamState) string {
		var b strings.Builder
		b.WriteString("<message")
		for i := range 130 + r.IntN(400) {
			fmt.Fprintf(&b, " a%d=''", i)
		}
		return b.String() + "/>"
	}, "policy-violation", sawFeatures},
	{"many prefixes", func(r *rand.Rand, _ streamState) string {
		var b strings.Builder
		for i := range 100 {
			fmt.Fprintf(&b, "<a xmlns:p%d='u' xmlns:q%d='u'>", i, i)
		}
		return b.String()
	}, "policy-violation", sawFeatures},
	{"undeclared prefix", fixed("<message><p:x/></message>", "<p:message/>", "<message p:a=''/>"), "not-well-formed", sawFeatures},
	{"not well-formed", fixed("<message></iq>", "<message a='1' a='2'/>", "<message a=1/>", "<message <", "<message>]]></message>", "<message>&</message>"), "not-well-formed", sawFeatures},
	{"forged sender", fixed("<message from='alice@test.example' to='bob@test.example/chat'><body>forged</body></message>",
		"<presence from='bob@test.example/chat' to='alice@test.example'/>",
		"<iq from='test.example' to='alice@test.example/chat' type='set' id='1'><query xmlns='jabber:iq:roster'/></iq>"), "invalid-from", bound},
	{"forged component sender", fixed("<message from='alice@test.example' to='bob@test.example/chat'><body>forged</body></message>"), "invalid-from", componentOn},
	{"stanzas too early", func(r *rand.Rand, at streamState) string {
		to := []string{"alice@test.example/chat", "bob@test.example"}[r.IntN(2)]
		if at == bound { // not too early
			to = "mallory0@test.example"
		}
		return "<message to='" + to + "'><body>forged</body></message><presence to='" + to + "'/>"
	}, "", 0},
	{"SASL garbage", func(r *rand.Rand, _ streamState) string {
		data := make([]byte, r.IntN(300))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		mechanism := []string{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "EXTERNAL", "DIGEST-MD5", "", "\u0600"}
		text := ""
		for range 1 + r.IntN(5) {
			text += "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + mechanism[r.IntN(len(mechanism))] + "'>" +
				base64.StdEncoding.EncodeToString(data) + "</auth><response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AAAA</response>"
		}
		return text
	}, "", 0},
	{"mutated", func(r *rand.Rand, _ streamState) string {
		b := []byte(strings.Repeat(aMessage, 3))
		for range 1 + r.IntN(8) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		return string(b)
	}, "", 0},
	{"bytes", func(r *rand.Rand, _ streamState) string {
		b := make([]byte, 1+r.IntN(4000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return string(b)
	}, "", 0},
	{"flood", func(r *rand.Rand, at streamState) string {
		if small(at) {
			return strings.Repeat(" ", r.IntN(64<<10)) + strings.Repeat("<message/>", 1+r.IntN(2000))
		}
		return strings.Repeat("<message to='test.example'><body>"+strings.Repeat("y", 900)+"</body></message>", 50+r.IntN(200))
	}, "", 0},
	{"questions without reading", func(r *rand.Rand, _ streamState) string {
		return strings.Repeat("<iq type='get' id='q' to='test.example'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", 1+r.IntN(200))
	}, "", 0},
}
