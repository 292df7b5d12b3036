package persist

import (
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// signal touches the file by which other processes notice a change that lies
// elsewhere. The change is already stored, so a failure is a warning: peers
// that go by the file see it late.
func (s *shared) signal(key string) {
	if s.info.Stamp != backend.StampSignal {
		return
	}
	if err := atomicfile.Touch(s.path(key)); err != nil {
		s.log.Warn("msalext: other processes may notice a change late: the signal file could not be touched",
			"backend", s.name, "error", err)
	}
}
