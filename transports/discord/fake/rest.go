package fake

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// exchange is one request on its way through.
type exchange struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	version int
	path    string // without the version, still escaped
	route   *route
	params  map[string]string
	app     *app // whose token it was
	body    []byte
	fault   *Injection
}

// serveREST answers one request of the API, with the lock taken for each step that needs it.
func (s *Server) serveREST(w http.ResponseWriter, r *http.Request) {
	x := &exchange{s: s, w: w, r: r}
	status, answer := x.run()
	if x.fault != nil && !x.fault.before() {
		if !x.fault.after(s, r) { // the reply is lost
			x.check(status, encode(answer))
			panic(http.ErrAbortHandler)
		}
	}
	x.reply(status, answer)
}

// run is the steps from a request to its answer.
func (x *exchange) run() (int, any) {
	if err := x.address(); err != nil {
		return x.fail(err)
	}
	c, unreadable := x.read()
	if x.fault = x.s.faultFor(x.r.Method, x.route); x.fault != nil && x.fault.before() {
		return x.fault.answer(x)
	}
	if !strings.HasPrefix(x.r.UserAgent(), "DiscordBot (") {
		return x.fail(errBlocked()) // reference.mdx, User Agent
	}
	if err := x.authorise(); err != nil {
		return x.fail(err)
	}
	if status, answer, limited := x.limit(); limited {
		return status, answer
	}
	if unreadable != nil {
		return x.fail(unreadable)
	}
	c.app = x.app
	x.s.mu.Lock()
	status, answer, err := x.route.handle(c)
	if err == nil && x.r.Method != http.MethodGet {
		x.s.touch()
	}
	x.s.mu.Unlock()
	if err != nil {
		return x.fail(err)
	}
	return status, answer
}

// address finds the version and the route.
func (x *exchange) address() error {
	full := x.r.URL.EscapedPath()
	if strings.HasPrefix(full, "/api/webhooks/") {
		full = "/api/v10" + strings.TrimPrefix(full, "/api") // the url of a webhook has no version
	}
	rest, ok := strings.CutPrefix(full, "/api/v")
	if !ok {
		return errAPIVersion()
	}
	version, path, _ := strings.Cut(rest, "/")
	x.path = "/" + path
	n, err := strconv.Atoi(version)
	if err != nil || n < 9 || n > 10 {
		return errAPIVersion()
	}
	x.version = n
	known := false
	x.route, x.params, known = find(x.s.routes, x.r.Method, x.path)
	switch {
	case x.route != nil:
		return nil
	case known:
		return errMethod()
	}
	return errNotFound()
}

// authorise checks the bot's token, where the route wants one.
func (x *exchange) authorise() error {
	token, ok := strings.CutPrefix(x.r.Header.Get("Authorization"), "Bot ")
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if ok {
		x.app = x.s.tokens[token]
	}
	if x.app == nil && !x.route.open {
		return errUnauthorized()
	}
	return nil
}

func (x *exchange) fail(err error) (int, any) {
	var refused *Error
	if !errors.As(err, &refused) {
		x.s.log.Error("request not answered", "method", x.r.Method, "path", x.path, "err", err)
		return http.StatusInternalServerError, obj{"code": 0, "message": "500: Internal Server Error"}
	}
	if refused.Status == http.StatusTooManyRequests {
		x.w.Header().Set("Retry-After", strconv.Itoa(ceil(refused.retry)))
		x.w.Header().Set("X-RateLimit-Scope", "shared")
	}
	return refused.Status, refused.body()
}

// reply shows the answer to the checker and sends it.
func (x *exchange) reply(status int, answer any) {
	x.s.count(status, x.w.Header().Get("X-RateLimit-Scope"))
	data := encode(answer)
	if data != nil && x.w.Header().Get("Content-Type") == "" {
		x.w.Header().Set("Content-Type", "application/json")
	}
	x.check(status, data)
	x.w.WriteHeader(status)
	x.w.Write(data) // an error here: the client went away
}

// encode is an answer's JSON; raw bytes stay as they are.
func encode(answer any) []byte {
	switch a := answer.(type) {
	case nil:
		return nil
	case []byte:
		return a
	}
	data, err := json.Marshal(answer)
	if err != nil {
		panic(err) // only maps of strings and numbers are marshalled
	}
	return data
}

func (x *exchange) check(status int, data []byte) {
	if x.s.opts.Checker == nil {
		return
	}
	x.s.opts.Checker.REST(Exchange{
		Method: x.r.Method, Path: x.path, Version: x.version, Query: x.r.URL.Query(), Body: x.body,
		Known: x.route != nil, Injected: x.fault != nil && x.fault.before(), Status: status,
		Header: x.w.Header().Clone(), Answer: data,
	})
}

// count keeps the number of requests that Discord would hold against the client's address.
// It takes the lock. (topics/rate-limits.mdx, Invalid Request Limit)
func (s *Server) count(status int, scope string) {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		if scope != "shared" {
			s.mu.Lock()
			s.invalid++
			s.mu.Unlock()
		}
	}
}
