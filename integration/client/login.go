package client

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"mellium.im/sasl"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// Login says where a client connects and as whom.
type Login struct {
	Addr      string      // host:port of the server
	Domain    string      // the served domain
	User      string      // localpart; empty: the login is anonymous
	Password  string      //
	Resource  string      // asked for in bind; empty: the server chooses
	TLS       *tls.Config // how to trust the server
	Mechanism string      // empty: the best that both sides know
	Resume    *Resume     // resume this session instead of binding one; nil: bind
}

// Resume names a session that is to be resumed (XEP-0198 §5).
type Resume struct {
	ID string
	H  uint32 // stanzas of the server that were received
}

// mechanisms that the client knows, best first.
var mechanisms = []sasl.Mechanism{
	sasl.ScramSha256Plus, sasl.ScramSha1Plus, sasl.ScramSha256, sasl.ScramSha1, sasl.Plain,
}

// Dial logs in. What the server does not grant comes back as *Refused.
func Dial(ctx context.Context, login Login) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", login.Addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	c := newConn(conn, spaceClient)
	if err := c.login(ctx, login); err != nil {
		stop()
		_ = conn.Close()
		return nil, fmt.Errorf("log in as %s@%s: %w", login.User, login.Domain, err)
	}
	if !stop() {
		return nil, ctx.Err()
	}
	go c.read()
	return c, nil
}

// secure opens a stream with TLS and returns the features.
func (c *Conn) secure(ctx context.Context, login Login) (*xmltree.Element, error) {
	features, err := c.open(login.Domain)
	if err != nil {
		return nil, err
	}
	if features.Child(spaceTLS, "starttls") == nil {
		return nil, errors.New("server does not offer STARTTLS")
	}
	if err := c.startTLS(ctx, login); err != nil {
		return nil, err
	}
	if features, err = c.open(login.Domain); err != nil {
		return nil, err
	}
	if features.Child(spaceTLS, "starttls") != nil {
		return nil, errors.New("server offers STARTTLS within TLS")
	}
	return features, nil
}

func (c *Conn) login(ctx context.Context, login Login) error {
	features, err := c.secure(ctx, login)
	if err != nil {
		return err
	}
	if err := c.authenticate(login, features.Child(spaceSASL, "mechanisms")); err != nil {
		return err
	}
	if features, err = c.open(login.Domain); err != nil {
		return err
	}
	if features.Child(spaceBind, "bind") == nil {
		return errors.New("server does not offer bind")
	}
	if login.Resume == nil {
		return c.bind(login.Resource)
	}
	return c.resume(login.Resume)
}

// resume asks for a session. Where the answer is failed, the caller binds none, and tries again without Login.Resume.
func (c *Conn) resume(r *Resume) error {
	if err := c.Send(fmt.Sprintf("<resume xmlns='%s' previd='%s' h='%d'/>", SpaceManagement, r.ID, r.H)); err != nil {
		return err
	}
	answer, err := c.step()
	if err != nil {
		return err
	}
	if answer.Name.Local != "resumed" || answer.Attr("previd") != r.ID {
		return refused("resume", answer)
	}
	h, err := strconv.ParseUint(answer.Attr("h"), 10, 32)
	c.resumed = uint32(h)
	return err
}

// Resumed is the number of stanzas that the server had handled when it resumed the session.
func (c *Conn) Resumed() uint32 { return c.resumed }

// SpaceManagement is the namespace of stream management.
const SpaceManagement = "urn:xmpp:sm:3"

// open sends a stream header and reads the server's and its features.
func (c *Conn) open(domain string) (*xmltree.Element, error) {
	if err := c.header(domain); err != nil {
		return nil, err
	}
	features, err := c.step()
	if err != nil {
		return nil, err
	}
	if features.Name.Space != spaceStreams || features.Name.Local != "features" {
		return nil, fmt.Errorf("stream features expected, got %s", features)
	}
	return features, nil
}

func (c *Conn) header(domain string) error {
	c.dec = xmltree.NewDecoder(c.buf)
	version := " version='1.0'"
	if c.space == spaceComponent {
		version = ""
	}
	err := c.Send("<?xml version='1.0'?><stream:stream to='" + domain + "'" + version + " xmlns='" + c.space + "' xmlns:stream='" + spaceStreams + "'>")
	if err != nil {
		return err
	}
	header, err := c.dec.Header()
	if err != nil {
		return err
	}
	if header.Name.Space != spaceStreams || header.Name.Local != "stream" || header.Attr("id") == "" || header.Attr("from") != domain {
		return fmt.Errorf("stream header expected, got %s", header)
	}
	c.jid = header.Attr("id") // of use until bind: a component signs it
	return nil
}

// step reads one element of the negotiation.
func (c *Conn) step() (*xmltree.Element, error) {
	e, err := c.dec.Element()
	if err != nil {
		return nil, err
	}
	if e.Name.Space == spaceStreams && e.Name.Local == "error" {
		return nil, streamError(e)
	}
	return e, nil
}

func (c *Conn) startTLS(ctx context.Context, login Login) error {
	if err := c.Send("<starttls xmlns='" + spaceTLS + "'/>"); err != nil {
		return err
	}
	answer, err := c.step()
	if err != nil {
		return err
	}
	if answer.Name.Local != "proceed" {
		return &Refused{Step: "starttls", Condition: answer.Name.Local}
	}
	if c.buf.Buffered() > 0 {
		return errors.New("server sent bytes between proceed and the TLS handshake")
	}
	config := login.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName = login.Domain
	}
	secure := tls.Client(c.conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return err
	}
	c.use(secure)
	return nil
}

func (c *Conn) authenticate(login Login, offered *xmltree.Element) error {
	if offered == nil {
		return errors.New("server offers no SASL mechanisms")
	}
	var names []string
	for _, m := range offered.Children {
		if m.Name.Local == "mechanism" {
			names = append(names, m.Text)
		}
	}
	if login.User == "" { // RFC 4505
		if !slices.Contains(names, "ANONYMOUS") {
			return fmt.Errorf("server does not offer ANONYMOUS, but %v", names)
		}
		return c.anonymous()
	}
	at := slices.IndexFunc(mechanisms, func(m sasl.Mechanism) bool {
		return slices.Contains(names, m.Name) && (login.Mechanism == "" || login.Mechanism == m.Name)
	})
	if at < 0 {
		return fmt.Errorf("no mechanism in common, server offers %v", names)
	}
	options := []sasl.Option{
		sasl.Credentials(func() ([]byte, []byte, []byte) { return []byte(login.User), []byte(login.Password), nil }),
	}
	if strings.HasSuffix(mechanisms[at].Name, "-PLUS") {
		secure := c.conn.(*tls.Conn)
		options = append(options, sasl.TLSState(secure.ConnectionState()), sasl.RemoteMechanisms(names...))
	}
	return c.exchange(mechanisms[at].Name, sasl.NewClient(mechanisms[at], options...))
}

// anonymous logs in without an account (XEP-0175 §2).
func (c *Conn) anonymous() error {
	if err := c.Send("<auth xmlns='" + spaceSASL + "' mechanism='ANONYMOUS'/>"); err != nil {
		return err
	}
	answer, err := c.step()
	if err != nil {
		return err
	}
	if answer.Name.Local != "success" {
		return refused("sasl", answer)
	}
	return nil
}

// exchange runs a mechanism to its end. mellium/sasl panics when it is stepped after an
// error, so each error ends it.
func (c *Conn) exchange(name string, negotiator *sasl.Negotiator) error {
	more, response, err := negotiator.Step(nil)
	if err != nil {
		return err
	}
	if err := c.Send("<auth xmlns='" + spaceSASL + "' mechanism='" + name + "'>" + encode(response) + "</auth>"); err != nil {
		return err
	}
	for {
		answer, err := c.step()
		if err != nil {
			return err
		}
		data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(answer.Text, "="))
		if err != nil {
			return fmt.Errorf("server's challenge: %w", err)
		}
		switch answer.Name.Local {
		case "challenge":
			if more, response, err = negotiator.Step(data); err != nil {
				return err
			}
			if err := c.Send("<response xmlns='" + spaceSASL + "'>" + encode(response) + "</response>"); err != nil {
				return err
			}
		case "success":
			if more { // the server's signature comes with success: check it
				if _, _, err = negotiator.Step(data); err != nil {
					return fmt.Errorf("server's proof: %w", err)
				}
			}
			return nil
		default:
			return refused("sasl", answer)
		}
	}
}

func encode(response []byte) string {
	if len(response) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(response)
}

// bind asks for a resource (RFC 6120 §7).
func (c *Conn) bind(resource string) error {
	wish := ""
	if resource != "" {
		wish = "<resource>" + resource + "</resource>"
	}
	if err := c.Send("<iq type='set' id='bind'><bind xmlns='" + spaceBind + "'>" + wish + "</bind></iq>"); err != nil {
		return err
	}
	answer, err := c.step()
	if err != nil {
		return err
	}
	if answer.Attr("type") != "result" {
		if fault := answer.Child(spaceClient, "error"); fault != nil {
			return refused("bind", fault)
		}
		return fmt.Errorf("answer to bind is %s", answer)
	}
	if c.jid = ""; answer.Find("bind", "jid") != nil {
		c.jid = answer.Find("bind", "jid").Text
	}
	if !strings.Contains(c.jid, "/") {
		return fmt.Errorf("bound JID %q is not full", c.jid)
	}
	return nil
}

// refused makes an error of the element that names a condition.
func refused(step string, e *xmltree.Element) *Refused {
	r := &Refused{Step: step, Condition: e.Name.Local}
	for _, c := range e.Children {
		if c.Name.Local != "text" {
			r.Condition = c.Name.Local
			break
		}
	}
	return r
}
