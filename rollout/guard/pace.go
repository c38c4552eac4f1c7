package guard

// pace is how events are counted to tell how many a day to expect: in seven
// slots, of which the newest is not over yet.
const slots = 7

const (
	hour = 3600
	day  = 24 * hour
	// The slots of a pace over the last day, and of one over the last hour.
	dayWidth  = day / (slots - 1)
	hourWidth = hour / (slots - 1)
)

// Pace counts events of the recent past.
type Pace struct {
	// Slot is the number of the newest slot, since 1970.
	Slot int64 `json:"slot"`
	// Counts are those of the newest slot and the six before, newest first.
	Counts [slots]float64 `json:"counts"`
}

// add counts n events of a second. Width is a slot's, in seconds.
func (p *Pace) add(second, width int64, n float64) {
	if n == 0 {
		return
	}
	slot := second / width
	if gone := slot - p.Slot; gone > 0 {
		var counts [slots]float64
		if gone < slots {
			copy(counts[gone:], p.Counts[:])
		}
		p.Slot, p.Counts = slot, counts
	}
	p.Counts[0] += n
}

// rate returns the events a second, as of now. The counting began at from; less
// time than least seconds is taken for least, so that the first event does not
// look like many.
func (p *Pace) rate(from, now, width, least int64) float64 {
	sum, oldest := 0.0, now/width-(slots-1)
	for i, n := range p.Counts {
		if p.Slot-int64(i) >= oldest {
			sum += n
		}
	}
	return sum / float64(max(now-max(from, oldest*width)+1, least))
}

// Paces tells how many events a day to expect: as many as in the last day, or as
// at the pace of the last hour if that is faster, since a step of the plan
// multiplies the traffic of Temporal at once.
type Paces struct {
	Day  Pace `json:"day"`
	Hour Pace `json:"hour"`
}

func (p *Paces) add(second int64, n float64) {
	p.Day.add(second, dayWidth, n)
	p.Hour.add(second, hourWidth, n)
}

// perDay returns the events to expect in a day. Less than an hour of counting is
// taken for an hour, and less than ten minutes for ten minutes at the hour's pace.
func (p *Paces) perDay(from, now int64) float64 {
	return day * max(p.Day.rate(from, now, dayWidth, hour), p.Hour.rate(from, now, hourWidth, hourWidth))
}

// perHour returns the events of an hour at the present pace.
func (p *Paces) perHour(from, now int64) float64 {
	return hour * p.Hour.rate(from, now, hourWidth, hourWidth)
}
