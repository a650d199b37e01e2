package fake

// hooks are what a demo's people watch. They are called one at a time and in order, from
// a goroutine of the server, without its lock: they may call the server.
type hooks struct {
	message  []func(Message)
	edit     []func(Message)
	typing   []func(channel, user ID)
	reaction []func(Reacted)
	queue    []func()
	wake     chan struct{}
}

// maxHooks bounds what waits for slow hooks; what comes then is dropped.
const maxHooks = 100_000

// Reacted is a reaction that came or went.
type Reacted struct {
	Message Message
	User    ID
	Emoji   string
	Added   bool
}

// OnMessage calls f for every new message, whoever wrote it, so that people can answer.
func (s *Server) OnMessage(f func(Message)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks.message = append(s.hooks.message, f)
}

func (s *Server) tell(m *message) {
	for _, f := range s.hooks.message {
		r := s.report(m)
		s.later(func() { f(r) })
	}
}

func (s *Server) tellEdit(m *message) {
	for _, f := range s.hooks.edit {
		r := s.report(m)
		s.later(func() { f(r) })
	}
}

func (s *Server) tellTyping(c *channel, u *user) {
	for _, f := range s.hooks.typing {
		s.later(func() { f(c.id, u.id) })
	}
}

func (s *Server) tellReaction(m *message, u *user, e emoji, added bool) {
	for _, f := range s.hooks.reaction {
		r := Reacted{Message: s.report(m), User: u.id, Emoji: e.key(), Added: added}
		s.later(func() { f(r) })
	}
}

// later queues a call for the hooks' goroutine.
func (s *Server) later(call func()) {
	if len(s.hooks.queue) >= maxHooks {
		s.log.Warn("hook dropped")
		return
	}
	s.hooks.queue = append(s.hooks.queue, call)
	select {
	case s.hooks.wake <- struct{}{}:
	default:
	}
}

// runHooks is the hooks' goroutine.
func (s *Server) runHooks() {
	for {
		select {
		case <-s.hooks.wake:
		case <-s.done:
			return
		}
		for {
			s.mu.Lock()
			batch := s.hooks.queue
			s.hooks.queue = nil
			s.mu.Unlock()
			if len(batch) == 0 {
				break
			}
			for _, call := range batch {
				select {
				case <-s.done:
					return
				default:
					call()
				}
			}
		}
	}
}
