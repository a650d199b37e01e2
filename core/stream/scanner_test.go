package stream

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dragoman-im/dragoman/core/stanza"
)

const head = `<?xml version='1.0'?><stream:stream to='example.org' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`

// event is an item as text, for comparison.
type event struct{ kind, space, local, raw, inner string }

func events(s *Scanner) ([]event, error) {
	var out []event
	for {
		it, err := s.Next()
		if err != nil {
			return out, err
		}
		kind := map[Kind]string{Open: "open", Close: "close", Element: "element"}[it.Kind]
		e := event{kind: kind, raw: string(it.Raw), inner: string(it.Inner)}
		if it.Kind != Close {
			e.space, e.local = string(it.Space()), string(it.Local())
		}
		out = append(out, e)
	}
}

func scan(text string) ([]event, error) {
	return events(NewScanner(strings.NewReader(text), stanza.NSClient, ForClients()))
}

func TestScanStream(t *testing.T) {
	t.Parallel()
	body := ` <message to='a@b'><body>x &lt; &#x41;<![CDATA[<y>]]]]></body></message>` + "\n" +
		`<iq id="1" type='get' ><q:query xmlns:q = "urn:q" q:a='1' a='1'/></iq >` + "<presence\t/>" + `</stream:stream >`
	for _, r := range []io.Reader{strings.NewReader(head + body), iotest.OneByteReader(strings.NewReader(head + body)), iotest.DataErrReader(strings.NewReader(head + body))} {
		got, err := events(NewScanner(r, stanza.NSClient, ForClients()))
		if err != io.EOF || len(got) != 5 {
			t.Fatalf("%v %v", got, err)
		}
		if got[1].inner != "<body>x &lt; &#x41;<![CDATA[<y>]]]]></body>" || got[2].local != "iq" || got[2].space != "jabber:client" || got[3].raw != "<presence\t/>" || got[4].kind != "close" {
			t.Errorf("%q", got)
		}
	}
}

func condition(err error) Condition {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Condition
	}
	return ""
}
