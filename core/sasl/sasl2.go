package sasl

import (
	"context"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS2 is the namespace of SASL2.
const NS2 = "urn:xmpp:sasl:2"

// maxAgentText limits the texts by which a client describes itself, in bytes.
const maxAgentText = 256

// UserAgent is how a client describes itself (XEP-0388 §2.3). No other entity may learn of it.
type UserAgent struct {
	ID               string // a UUID in lower case that is the same for each login of this installation; "" if unknown
	Software, Device string
}

// Request is an <authenticate/>: its children in other namespaces ask for inline features.
type Request struct {
	Element *stanza.Element
	Agent   UserAgent
	use     fastUse
}

// parseRequest checks the children of <authenticate/> in NS2.
func parseRequest(e *stanza.Element) (*Request, error) {
	r := &Request{Element: e}
	var err error
	if r.use, err = parseFast(e); err != nil {
		return nil, err
	}
	agent := e.Child(NS2, "user-agent")
	if agent == nil {
		return r, nil
	}
	r.Agent = UserAgent{
		ID: strings.ToLower(agent.Attr("id")), Software: agentText(agent, "software"), Device: agentText(agent, "device"),
	}
	if r.Agent.ID != "" && !isUUID(r.Agent.ID) {
		return nil, fail(MalformedRequest, "id of the user agent is no UUID") // XEP-0388 §2.3
	}
	return r, nil
}

// agentText returns a text of the user agent, cut to what is stored of it.
func agentText(agent *stanza.Element, name string) string {
	text := strings.TrimSpace(agent.ChildText(NS2, name))
	for len(text) > maxAgentText {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// isUUID reports whether s is a UUID in lower case, of any version: XEP-0388 §2.3 requires version 4, but its schema does not.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') {
			return false
		} else if !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Busy reports whether an exchange of SASL2 is under way: the peer may send nothing else meanwhile (XEP-0388 §2.3).
func (d *Dialogue) Busy() bool { return d != nil && d.request != nil }

// receive2 handles an element of SASL2.
func (d *Dialogue) receive2(ctx context.Context, e *stanza.Element) Outcome {
	if !d.allowed(e.Local) {
		return Outcome{Violation: true}
	}
	out, err := d.step2(ctx, e)
	if err != nil {
		return d.fail(err, appendFailure2)
	}
	return out
}

// allowed reports whether the peer may send an element now (XEP-0388 §2.4, §2.6.3).
func (d *Dialogue) allowed(local string) bool {
	switch local {
	case "authenticate":
		return !d.Busy()
	case "response":
		return d.tasks == nil
	case "next", "task-data":
		return d.tasks != nil
	}
	return local == "abort"
}

func (d *Dialogue) step2(ctx context.Context, e *stanza.Element) (Outcome, error) {
	if e.Local == "abort" {
		return Outcome{}, fail(Aborted, "by the peer")
	}
	if d.tasks != nil {
		return d.task(ctx, e)
	}
	var in []byte
	if e.Local == "authenticate" {
		d.now = nil
		r, err := parseRequest(e)
		if err != nil {
			return Outcome{}, err
		}
		if r.use.asked {
			d.now, err = d.server.beginFast(e.Attr("mechanism"), d.conn, r)
		} else {
			d.now, err = d.server.Begin(e.Attr("mechanism"), d.conn)
		}
		if err != nil {
			return Outcome{}, err
		}
		d.request = r
		if initial := e.Child(NS2, "initial-response"); initial != nil {
			if in, err = decode2(initial.Text()); err != nil {
				return Outcome{}, err
			}
		}
	} else {
		if d.request == nil {
			return Outcome{}, fail(MalformedRequest, "response without a challenge")
		}
		var err error
		if in, err = decode2(e.Text()); err != nil {
			return Outcome{}, err
		}
	}
	out, done, err := d.now.Step(ctx, in)
	if err != nil {
		return Outcome{}, err
	}
	if !done {
		return Outcome{Reply: appendData2(nil, "challenge", out)}, nil
	}
	id, _ := d.now.Identity()
	r := d.request
	d.now = nil
	if missing := d.server.upgrades(r, id); len(missing) > 0 {
		d.tasks = &tasks{id: id, missing: missing}
		return Outcome{Reply: d.tasks.appendContinue(nil, out)}, nil
	}
	d.request = nil
	return Outcome{Identity: &id, Request: r, Data: out}, nil
}

// decode2 decodes the data of an element: strict base64, with white space around it as in the examples of XEP-0388. The empty
// element is an empty message; there is no "=" for it.
func decode2(text string) ([]byte, error) {
	b, err := decodeStrict(strings.Trim(text, " \t\r\n"))
	if err != nil {
		return nil, fail(IncorrectEncoding, "bad base64")
	}
	return b, nil
}

// AppendSuccess appends the success of SASL2: the data of the mechanism, the address that the client has now, which is a full one if a
// resource was bound, and the results of inline features.
func AppendSuccess(dst, data []byte, who jid.JID, results ...*stanza.Element) []byte {
	dst = append(dst, "<success xmlns='"+NS2+"'>"...)
	if data != nil {
		dst = appendData2(dst, "additional-data", data)
	}
	dst = append(dst, "<authorization-identifier>"...)
	dst = stanza.AppendEscaped(dst, who.String())
	dst = append(dst, "</authorization-identifier>"...)
	for _, e := range results {
		dst = e.Append(dst, NS2)
	}
	return append(dst, "</success>"...)
}

func appendFailure2(dst []byte, f *Failure) []byte {
	return append(append(append(dst, "<failure xmlns='"+NS2+"'><"...), f.Condition...), " xmlns='"+NS+"'/></failure>"...)
}

// appendData2 appends an element with base64. It has a namespace of its own if it is not within a success.
func appendData2(dst []byte, name string, data []byte) []byte {
	dst = append(append(dst, '<'), name...)
	if name == "challenge" {
		dst = append(dst, " xmlns='"+NS2+"'"...)
	}
	dst = append(dst, '>')
	dst = base64.StdEncoding.AppendEncode(dst, data)
	dst = append(dst, '<', '/')
	return append(append(dst, name...), '>')
}

// Feature2 returns the stream feature of SASL2 with the mechanisms of this connection, and the inline features; nil if there are no
// mechanisms. XEP-0388 §2.1.
func (s *Server) Feature2(c Conn, inline ...*stanza.Element) *stanza.Element {
	names := s.Mechanisms(c)
	if len(names) == 0 {
		return nil
	}
	f := stanza.NewElement(NS2, "authentication")
	for _, m := range names {
		f.Add(stanza.TextElement(NS2, "mechanism", m))
	}
	if fast := s.fastFeature(c); fast != nil {
		inline = append(inline, fast)
	}
	if len(inline) > 0 {
		f.Add(stanza.NewElement(NS2, "inline").Add(inline...))
	}
	return f.Add(s.upgradeFeatures(c)...)
}
