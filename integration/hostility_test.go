package integration_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// depth is how far a hostile stream goes before it shows what it is.
type depth uint8

const (
	atFirst      depth = iota // connected
	greeted                   // has read the features before TLS
	secured                   // has read those within TLS
	known                     // has logged in
	bound                     // has a session
	componentNew              // connected to the listener of components
	componentOn               // has proved its secret
	depths
)

// hostility is one way to misbehave.
type hostility struct {
	name string
	// text is what is said; before is for strangers, whose limits are narrower.
	text func(r *rand.Rand, at depth) string
	// told is what the server says about it, where it has read all; "" where that depends.
	told string
	from depth // the first depth where that is so
}

const aMessage = "<message to='mallory0@play.example' type='chat' id='h'><body>x &amp; y é</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>"

// spoil puts s somewhere into the text of a good stanza, between two characters of its body.
func spoil(s string) string {
	return "<message to='mallory0@play.example'><body>ab" + s + "cd</body></message>"
}

func fixed(list ...string) func(*rand.Rand, depth) string {
	return func(r *rand.Rand, _ depth) string { return list[r.IntN(len(list))] }
}

// size is a bit more than a stanza of that depth may have.
func size(r *rand.Rand, at depth) int {
	switch at {
	case known, bound:
		return 256<<10 + r.IntN(64<<10)
	case componentOn:
		return 512<<10 + r.IntN(64<<10)
	}
	return 10_000 + r.IntN(64<<10)
}

func repeated(before, again string, of func(at depth) int) func(*rand.Rand, depth) string {
	return func(r *rand.Rand, at depth) string {
		return before + strings.Repeat(again, of(at)+r.IntN(2000))
	}
}

func small(at depth) bool { return at != known && at != bound && at != componentOn }

// hostilities are all the ways. Those that end in the middle of something are ended by the client.
var hostilities = []hostility{
	{"truncated", func(r *rand.Rand, _ depth) string { return aMessage[:1+r.IntN(len(aMessage)-2)] }, "", 0},
	{"oversized", func(r *rand.Rand, at depth) string { return "<message><body>" + strings.Repeat("x", size(r, at)) }, "stanza-too-big", greeted},
	{"oversized attribute", func(r *rand.Rand, at depth) string { return "<message id='" + strings.Repeat("x", size(r, at)) }, "stanza-too-big", greeted},
	{"wrong namespace", fixed("<message xmlns='jabber:server' from='alice@play.example' to='bob@play.example'><body>forged</body></message>",
		"<iq xmlns='jabber:server' type='get' id='1'/>", "<message xmlns='jabber:server'/>"), "invalid-namespace", greeted},
	{"wrong header", fixed("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='play.example'>",
		"<stream:stream xmlns='jabber:client' xmlns:stream='urn:x' to='play.example' version='1.0'>", "<stream xmlns='jabber:client'>"), "", 0},
	{"invalid UTF-8", func(r *rand.Rand, _ depth) string {
		bad := []string{"\xff", "\xc0\xbe", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x28\xa1", "\xc3", "\xfe\xff"}
		return spoil(bad[r.IntN(len(bad))])
	}, "unsupported-encoding", greeted},
	{"control characters", func(r *rand.Rand, _ depth) string { return spoil(string(rune(r.IntN(9)))) }, "not-well-formed", greeted},
	{"entity bomb", fixed("<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;'>]><message>&lol2;</message>",
		spoil("&lol9;"), "<?php evil ?>", "<!-- x -->", "<message><!-- x --></message>"), "restricted-xml", greeted},
	{"deep", repeated("", "<a>", func(at depth) int { return 70 }), "policy-violation", greeted},
	{"many elements", repeated("<message>", "<a/>", func(at depth) int {
		if small(at) {
			return 32
		}
		return 8000
	}), "policy-violation", greeted},
	{"many attributes", func(r *rand.Rand, _ depth) string {
		var b strings.Builder
		b.WriteString("<message")
		for i := range 130 + r.IntN(400) {
			fmt.Fprintf(&b, " a%d=''", i)
		}
		return b.String() + "/>"
	}, "policy-violation", greeted},
	{"many prefixes", func(r *rand.Rand, _ depth) string {
		var b strings.Builder
		for i := range 100 {
			fmt.Fprintf(&b, "<a xmlns:p%d='u' xmlns:q%d='u'>", i, i)
		}
		return b.String()
	}, "policy-violation", greeted},
	{"undeclared prefix", fixed("<message><p:x/></message>", "<p:message/>", "<message p:a=''/>"), "not-well-formed", greeted},
	{"not well-formed", fixed("<message></iq>", "<message a='1' a='2'/>", "<message a=1/>", "<message <", "<message>]]></message>", "<message>&</message>"), "not-well-formed", greeted},
	{"forged sender", fixed("<message from='alice@play.example' to='bob@play.example/chat'><body>forged</body></message>",
		"<presence from='bob@play.example/chat' to='alice@play.example'/>",
		"<iq from='play.example' to='alice@play.example/chat' type='set' id='1'><query xmlns='jabber:iq:roster'/></iq>"), "invalid-from", bound},
	{"forged component sender", fixed("<message from='alice@play.example' to='bob@play.example/chat'><body>forged</body></message>"), "invalid-from", componentOn},
	{"stanzas too early", func(r *rand.Rand, at depth) string {
		to := []string{"alice@play.example/chat", "bob@play.example"}[r.IntN(2)]
		if at == bound { // not too early
			to = "mallory0@play.example"
		}
		return "<message to='" + to + "'><body>forged</body></message><presence to='" + to + "'/>"
	}, "", 0},
	{"SASL garbage", func(r *rand.Rand, _ depth) string {
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
	{"mutated", func(r *rand.Rand, _ depth) string {
		b := []byte(strings.Repeat(aMessage, 3))
		for range 1 + r.IntN(8) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		return string(b)
	}, "", 0},
	{"bytes", func(r *rand.Rand, _ depth) string {
		b := make([]byte, 1+r.IntN(4000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return string(b)
	}, "", 0},
	{"flood", func(r *rand.Rand, at depth) string {
		if small(at) {
			return strings.Repeat(" ", r.IntN(64<<10)) + strings.Repeat("<message/>", 1+r.IntN(2000))
		}
		return strings.Repeat("<message to='play.example'><body>"+strings.Repeat("y", 900)+"</body></message>", 50+r.IntN(200))
	}, "", 0},
	{"questions without reading", func(r *rand.Rand, _ depth) string {
		return strings.Repeat("<iq type='get' id='q' to='play.example'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", 1+r.IntN(200))
	}, "", 0},
}
