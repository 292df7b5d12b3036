package persist

import (
	"path/filepath"
	"strings"
	"sync"

	"github.com/fsnotify/fsnotify"
	"github.com/msalext/msalext/internal/ownedfile"
)

// notices passes on what the system tells of directories. All watches of a
// process share one queue, since a user has few of them (Linux: 128), and it
// exists only while somebody listens.
type notices struct {
	open func() (*fsnotify.Watcher, error) // replaced by tests

	mu    sync.Mutex // held while the queue is changed, which may wait for pass
	queue *queue     // nil: nobody listens
}

var systemNotices = &notices{open: fsnotify.NewWatcher}

type queue struct {
	from *fsnotify.Watcher
	done chan struct{} // closes when nothing more comes

	mu   sync.Mutex           // never held while from is called: it may wait for pass
	dirs map[string]*audience // by real path
}

// audience is who listens to one directory.
type audience struct {
	dir     ownedfile.Stamp // which one the queue watches; zero: it has lost it
	members map[*lookout]bool
}

func (a *audience) wake() {
	for l := range a.members {
		l.wake()
	}
}

func (a *audience) watches(dir ownedfile.Stamp) bool {
	return a.dir != (ownedfile.Stamp{}) && a.dir.SameFile(dir)
}

// listen makes l hear of its name in its directory.
func (n *notices) listen(l *lookout) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.queue == nil {
		from, err := n.open()
		if err != nil {
			return err
		}
		n.queue = &queue{from: from, done: make(chan struct{}), dirs: map[string]*audience{}}
		go n.queue.pass()
	}
	return n.queue.admit(l)
}

// admit makes the queue watch what is at l's directory now. The queue follows
// the directory itself and not its path: one that was replaced is added anew,
// and then all who listen are woken, since meanwhile they heard nothing.
func (q *queue) admit(l *lookout) error {
	now, err := ownedfile.Stat(l.dir)
	if err != nil {
		return err
	}
	q.mu.Lock()
	a := q.dirs[l.dir]
	if a == nil {
		a = &audience{members: map[*lookout]bool{}}
		q.dirs[l.dir] = a
	}
	a.members[l] = true
	watched := a.watches(now)
	a.dir = now // before the queue is told, since it may lose the directory at once
	q.mu.Unlock()
	if watched {
		return nil
	}
	_ = q.from.Remove(l.dir) // added over a lost one, it would be lost again with that one's last notice
	err = q.from.Add(l.dir)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		a.dir = ownedfile.Stamp{}
	}
	a.wake()
	return err
}

// hears tells whether what is at l's directory now is being listened to.
func (n *notices) hears(l *lookout) bool {
	now, err := ownedfile.Stat(l.dir)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil || n.queue == nil {
		return false
	}
	n.queue.mu.Lock()
	defer n.queue.mu.Unlock()
	a := n.queue.dirs[l.dir]
	return a != nil && a.members[l] && a.watches(now)
}

// leave makes l hear nothing more. The last one to leave waits until nothing
// of the queue is left.
func (n *notices) leave(l *lookout) {
	n.mu.Lock()
	q := n.queue
	if q == nil || q.dismiss(l) {
		n.mu.Unlock()
		return
	}
	n.queue = nil
	n.mu.Unlock()
	_ = q.from.Close() // there is nothing to lose
	<-q.done
}

// dismiss removes l, and tells whether others are left.
func (q *queue) dismiss(l *lookout) (others bool) {
	q.mu.Lock()
	a, empty := q.dirs[l.dir], false
	if a != nil {
		delete(a.members, l)
		if empty = len(a.members) == 0; empty {
			delete(q.dirs, l.dir)
		}
	}
	others = len(q.dirs) > 0
	q.mu.Unlock()
	if empty && others {
		_ = q.from.Remove(l.dir) // gone already when the directory is
	}
	return others
}

// pass wakes those whom a notice concerns, until the queue is closed. After an
// error (too many notices at once) that is everybody.
func (q *queue) pass() {
	defer close(q.done)
	events, errs := q.from.Events, q.from.Errors
	for events != nil || errs != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
			}
			q.tell(e)
		case _, ok := <-errs:
			if !ok {
				errs = nil
			}
			q.tellAll()
		}
	}
}

func (q *queue) tell(e fsnotify.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if a := q.dirs[e.Name]; a != nil { // the directory itself
		if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
			a.dir = ownedfile.Stamp{}
		}
		a.wake()
	}
	if a := q.dirs[filepath.Dir(e.Name)]; a != nil {
		for l := range a.members {
			if strings.EqualFold(l.name, filepath.Base(e.Name)) { // some file systems ignore case
				l.wake()
			}
		}
	}
}

func (q *queue) tellAll() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range q.dirs {
		a.wake()
	}
}
