package web

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/bosh"
	"github.com/dragoman-im/dragoman/core/c2s"
)

// BOSHPath is where clients find BOSH.
const BOSHPath = "/http-bind"

// answerTime is how long a client may take for an answer.
const answerTime = 30 * time.Second

// bosh takes the requests of XMPP clients that use BOSH (XEP-0124, XEP-0206).
func (c *Clients) bosh(w http.ResponseWriter, r *http.Request) {
	if !c.allows(r) {
		http.Error(w, "pages of this origin may not connect: see web.origins", http.StatusForbidden)
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Add("Vary", "Origin")
	}
	switch r.Method {
	case http.MethodPost:
	case http.MethodOptions: // what a page asks before it sends text/xml to another origin
		w.Header().Set("Access-Control-Allow-Methods", "POST, OPTIONS")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		w.Header().Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		w.Header().Set("Allow", "POST, OPTIONS")
		http.Error(w, "this address is for XMPP clients that use BOSH (XEP-0206)", http.StatusMethodNotAllowed)
		return
	}
	answer := c.answer(w, r)
	if answer.Body == nil {
		panic(http.ErrAbortHandler) // nobody is there, or may be told
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	h := w.Header()
	h.Set("Content-Type", answer.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(answer.Body)))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // a client may ask for text/html
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // to a client that may be gone
}

// answer reads a request and returns its answer, without a body where the connection is to be closed.
func (c *Clients) answer(w http.ResponseWriter, r *http.Request) bosh.Answer {
	body, stop := Body(r.Context(), w, r)
	before, _ := c.Server.MaxStanza()
	raw, session, err := c.read(body, before)
	stop()
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // or a request that waits would end with it
	if session != nil && session.Secure && !Secure(r) {            // XEP-0124 §19.1
		return bosh.Answer{}
	}
	var request *bosh.Request
	if err == nil {
		request, err = bosh.Parse(raw)
	}
	switch {
	case errors.Is(err, errLongBody):
		return refused(session, bosh.PolicyViolation)
	case err != nil:
		return refused(session, bosh.BadRequest)
	case request.SID == "":
		return c.create(r, request, before)
	case session == nil:
		return bosh.Ended(bosh.NotFound, "")
	}
	Known(r)
	return session.Do(r.Context(), request)
}

var errLongBody = errors.New("the body is too long")

// read reads the body of a request, up to what its session allows.
func (c *Clients) read(body io.Reader, before int) (raw []byte, s *bosh.Session, err error) {
	limit := bosh.BodyLimit(before)
	raw, err = io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if id := bosh.SessionID(raw); id != "" {
		s = c.Sessions.Find(id)
	}
	if s != nil && err == nil && len(raw) > limit {
		limit = max(limit, s.BodyLimit())
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(body, int64(limit-len(raw)+1)))
		raw = slices.Concat(raw, rest)
	}
	if err == nil && len(raw) > limit {
		err = errLongBody
	}
	return raw, s, err
}

// refused ends the session of a request that is refused, if it has one.
func refused(s *bosh.Session, condition string) bosh.Answer {
	if s == nil {
		return bosh.Ended(condition, "")
	}
	return s.Refuse(condition)
}

// create begins a session.
func (c *Clients) create(r *http.Request, request *bosh.Request, before int) bosh.Answer {
	if request.To == "" {
		return bosh.Ended(bosh.ImproperAddressing, "")
	}
	arrival, err := c.Server.Admit(Client(r), Secure(r))
	switch {
	case errors.Is(err, c2s.ErrInsecure) && c.OverTLS != "":
		return bosh.Ended(bosh.SeeOtherURI, c.OverTLS+BOSHPath)
	case err != nil:
		return bosh.Ended(bosh.PolicyViolation, "")
	}
	session := c.Sessions.Create(request, before, Secure(r))
	Known(r)
	if !arrival.Start(session) {
		_ = session.Close()
		return bosh.Ended(bosh.SystemShutdown, "")
	}
	return session.Do(r.Context(), request)
}
