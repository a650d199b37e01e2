package checklist

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

func TestNonStanzas(t *testing.T) { // checklist 8
	h := sharedServer(t)
	victim := h.session(t, newAccount(t), "")
	message := "<message to='" + victim.jid + "'><body>before login</body></message>"
	for name, send := range map[string]string{
		"message":  message,
		"presence": "<presence to='" + victim.jid + "'/>",
		"IQ":       "<iq type='get' id='1' to='" + victim.jid + "'><query xmlns='jabber:iq:version'/></iq>",
		"other":    "<hello xmlns='urn:example:x'/>",
		"bind":     bindAny,
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := h.secured(t)
			w.push(send)
			if name == "bind" { // who may register may ask the host something, which this is not
				if e := w.element(); condition(e) != "not-authorized" && condition(e) != "service-unavailable" {
					t.Error(e)
				}
				return
			}
			w.wantError("not-authorized")
			w = h.dial(t)
			w.open()
			w.push(send)
			w.wantError("policy-violation", "not-authorized")
		})
	}
	w := h.session(t, newAccount(t), "")
	w.push("<hello xmlns='urn:example:x'/>" + message)
	w.wantError("unsupported-stanza-type")
	victim.nothing()
}

func TestBadXML(t *testing.T) { // checklist 9
	h := sharedServer(t)
	victim := h.session(t, newAccount(t), "")
	in := func(inside string) string {
		return "<message to='" + victim.jid + "'><body>" + inside + "</body></message>"
	}
	tests := map[string]struct {
		text string
		want []string
	}{
		"document type":    {"<!DOCTYPE message>" + in("x"), []string{"restricted-xml"}},
		"comment":          {in("<!-- x -->"), []string{"restricted-xml"}},
		"instruction":      {in("<?php x ?>"), []string{"restricted-xml"}},
		"entity":           {in("&nbsp;"), []string{"restricted-xml"}},
		"wrong end":        {in("<a></b>"), []string{"not-well-formed"}},
		"overlap":          {in("<a><b></a></b>"), []string{"not-well-formed"}},
		"no prefix":        {in("<p:a/>"), []string{"not-well-formed"}},
		"prefix of attr":   {in("<a p:b='1'/>"), []string{"not-well-formed"}},
		"attribute twice":  {in("<a xmlns='urn:x' b='1' b='2'/>"), []string{"not-well-formed"}},
		"twice by name":    {in("<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>"), []string{"not-well-formed"}},
		"empty prefix":     {in("<a xmlns:p=''/>"), []string{"not-well-formed"}},
		"xmlns bound":      {in("<a xmlns:xmlns='urn:x'/>"), []string{"not-well-formed"}},
		"two colons":       {in("<a:b:c xmlns:a='urn:x'/>"), []string{"not-well-formed"}},
		"colon in front":   {in("<:a/>"), []string{"not-well-formed"}},
		"less than":        {in("<a b='<'/>"), []string{"not-well-formed"}},
		"ampersand":        {in("a & b"), []string{"not-well-formed", "restricted-xml"}},
		"end of a section": {in("a ]]> b"), []string{"not-well-formed"}},
		"no quotes":        {in("<a b=1/>"), []string{"not-well-formed"}},
		"control":          {in("\x02"), []string{"not-well-formed"}},
		"control by ref":   {in("&#2;"), []string{"not-well-formed"}},
		"surrogate by ref": {in("&#xD800;"), []string{"not-well-formed"}},
		"beyond":           {in("&#x110000;"), []string{"not-well-formed"}},
		"text outside":     {"hello", []string{"bad-format", "not-well-formed"}},
		"declaration late": {"<?xml version='1.0'?>" + in("x"), []string{"restricted-xml", "not-well-formed"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := h.session(t, newAccount(t), "")
			w.push(test.text)
			w.wantError(test.want...)
		})
	}
	victim.nothing()
}

func TestEncoding(t *testing.T) { // checklist 10
	h := sharedServer(t)
	for _, encoding := range []string{"ISO-8859-1", "UTF-16", "US-ASCII"} {
		w := h.dial(t)
		w.push("<?xml version='1.0' encoding='" + encoding + "'?>" + head("to='" + servedHost + "' version='1.0'")[len("<?xml version='1.0'?>"):])
		w.header()
		w.wantError("unsupported-encoding")
	}
	for _, declaration := range []string{"", "<?xml version='1.0' encoding='utf-8'?>", "<?xml version='1.0' encoding=\"UTF-8\" standalone='no'?>", "<?xml version='1.0' standalone='yes'?>"} {
		w := h.dial(t)
		w.send(declaration + head("to='" + servedHost + "' version='1.0'")[len("<?xml version='1.0'?>"):])
		w.header()
		w.features()
	}
	w := h.dial(t)
	w.send(w.defaultHead())
	if first, err := w.buf.Peek(3); err != nil || string(first) == "\uFEFF" || first[0] != '<' {
		t.Errorf("the server begins with %q, %v", first, err)
	}
	victim := h.session(t, newAccount(t), "")
	for _, text := range []string{"\xff", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xef\xbf\xbe"} {
		w := h.session(t, newAccount(t), "")
		w.push("<message to='" + victim.jid + "'><body>" + text + "</body></message>")
		w.wantError("unsupported-encoding", "not-well-formed")
	}
	victim.nothing()
	// In the middle of a stream U+FEFF is a character like others.
	victim.send("<message to='" + victim.jid + "'><body>a\uFEFFb \U0001F600</body></message>")
	if e := victim.element(); e.ChildText("body") != "a\uFEFFb \U0001F600" {
		t.Error(e)
	}
}

func TestSizes(t *testing.T) { // checklist 11
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	for _, size := range []int{10_000, 100_000, 200_000} {
		text := strings.Repeat("x", size)
		w.send("<message to='" + w.jid + "'><body>" + text + "</body></message>")
		if e := w.element(); e.ChildText("body") != text {
			t.Fatalf("%d bytes: %.200s", size, e)
		}
	}
	for name, send := range map[string]string{
		"bytes":      "<message to='" + w.jid + "'><body>" + strings.Repeat("x", 300<<10) + "</body></message>",
		"elements":   "<message to='" + w.jid + "'>" + strings.Repeat("<a/>", 5000) + "</message>",
		"depth":      "<message to='" + w.jid + "'>" + strings.Repeat("<a>", 100_000),
		"attributes": "<message to='" + w.jid + "'" + strings.Repeat(" xmlns:a='b'", 5000) + "/>",
		"one name":   "<message to='" + w.jid + "'><" + strings.Repeat("a", 300<<10),
	} {
		t.Run(name, func(t *testing.T) {
			w := h.session(t, newAccount(t), "")
			go w.push(send)
			got, fault := w.streamError()
			if got != "policy-violation" && got != "not-well-formed" {
				t.Errorf("stream error %s", got)
			}
			if name == "bytes" && fault.Child("urn:xmpp:errors", "stanza-too-big") == nil {
				t.Errorf("without stanza-too-big: %s", fault)
			}
		})
	}
	// Before login much less is taken, but all that RFC 6120 §13.12 asks for.
	before, _ := h.secured(t)
	before.send(auth("PLAIN", encode("\x00"+strings.Repeat("x", 7_000)+"\x00y")))
	if e := before.element(); e.Name.Local != "failure" {
		t.Error(e)
	}
	before, _ = h.secured(t)
	go before.push(auth("PLAIN", strings.Repeat("x", 50_000)))
	before.wantError("policy-violation")
	w.nothing()
}

func TestPartialStanza(t *testing.T) { // checklist 19
	h := sharedServer(t)
	victim := h.session(t, newAccount(t), "")
	whole := "<message to='" + victim.jid + "'><body>whole</body></message>"
	half := "<message to='" + victim.jid + "'><body>half</body></message>"
	for _, cut := range []int{1, 10, len(half) / 2, len(half) - 1} {
		w := h.session(t, newAccount(t), "")
		w.send(whole + half[:cut])
		if cut%2 == 0 {
			_ = w.conn.Close()
			continue
		}
		w.send(theEnd)
		for {
			if _, err := w.next(); err != nil {
				if !errors.Is(err, xmltree.ErrClosed) && !errors.Is(err, io.EOF) {
					t.Error(err)
				}
				break
			}
		}
	}
	var got []string
	poll(t, func() error {
		if got = append(got, bodies(victim.settle())...); len(got) < 4 {
			return errNotYet
		}
		return nil
	})
	for _, body := range append(got, bodies(victim.settle())...) {
		if body != "whole" {
			t.Errorf("arrived: %q", body)
		}
	}
}
