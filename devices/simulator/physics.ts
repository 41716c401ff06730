/**
 * What a room does by itself: heat, moisture and carbon dioxide. Pure functions of a state and a time step.
 * Temperatures °C, heat W, heat capacities J/K, conductances W/K, volumes m³, CO2 ppm, times s.
 */

/**
 * Two-mass model (2R2C): Ci·dTi = Him(Tm−Ti) + Hie(To−Ti) + Q and Cm·dTm = Him(Ti−Tm) + Hme(To−Tm), with i the air
 * and light furniture, m the heavy walls, o outdoors. FACTS 3 gives the values of an exam room of 12 m².
 */
export interface RoomParameters {
  readonly airJPerK: number;
  readonly massJPerK: number;
  readonly airToMassWPerK: number;
  readonly airToOutdoorsWPerK: number;
  readonly massToOutdoorsWPerK: number;
  /** Heat of the heating when it is on, W. */
  readonly heatingW: number;
  /** Heat that the cooling takes away when it is on, W. */
  readonly coolingW: number;
  readonly volumeM3: number;
  /** Outdoor air changes per hour. */
  readonly airChangesPerH: number;
}

const REFERENCE_AREA_M2 = 12;
const REFERENCE = {
  airJPerK: 0.2e6,
  massJPerK: 1.98e6,
  airToMassWPerK: 111,
  airToOutdoorsWPerK: 8.5,
  massToOutdoorsWPerK: 2,
  heatingW: 1500,
  coolingW: 1500,
};
const CEILING_M = 2.7;
/** Outdoor air of exam rooms, ASHRAE 170: 2 of their 6 changes. */
const OUTDOOR_AIR_CHANGES_PER_H = 2;

/** Longest integration step; the air's time constant is about 1,700 s, so Heun's method is far from its limit. */
const MAX_STEP_S = 30;

/** Sensible heat of a seated person, W (ASHRAE Fundamentals, moderately active office work). */
export const PERSON_HEAT_W = 75;
/** CO2 of a person at 1.2 met, l/s (ASHRAE 62.1, 0.31 l/min). */
export const PERSON_CO2_L_PER_S = 0.0052;
/** Water that a person gives off, g/h (ASHRAE Fundamentals, about 55 W latent). */
export const PERSON_WATER_G_PER_H = 80;
export const OUTDOOR_CO2_PPM = 420;

/** Everything grows with the floor area, the heating too: a larger room has the larger radiator. */
export function roomParameters(areaM2: number): RoomParameters {
  const scale = areaM2 / REFERENCE_AREA_M2;
  return {
    airJPerK: REFERENCE.airJPerK * scale,
    massJPerK: REFERENCE.massJPerK * scale,
    airToMassWPerK: REFERENCE.airToMassWPerK * scale,
    airToOutdoorsWPerK: REFERENCE.airToOutdoorsWPerK * scale,
    massToOutdoorsWPerK: REFERENCE.massToOutdoorsWPerK * scale,
    heatingW: REFERENCE.heatingW * scale,
    coolingW: REFERENCE.coolingW * scale,
    volumeM3: areaM2 * CEILING_M,
    airChangesPerH: OUTDOOR_AIR_CHANGES_PER_H,
  };
}

export interface RoomAir {
  /** Air temperature, °C. */
  readonly airC: number;
  /** Temperature of the walls, °C. */
  readonly massC: number;
  /** Water in the air, g/m³. */
  readonly waterGPerM3: number;
  readonly co2Ppm: number;
}

export interface RoomLoad {
  readonly outdoorC: number;
  /** Water in the outdoor air, g/m³. */
  readonly outdoorWaterGPerM3: number;
  readonly people: number;
  readonly heating: boolean;
  readonly cooling: boolean;
}

/** The room `seconds` later, its load being constant meanwhile. */
export function stepRoom(room: RoomParameters, air: RoomAir, load: RoomLoad, seconds: number): RoomAir {
  const heatW = load.people * PERSON_HEAT_W + (load.heating ? room.heatingW : 0) - (load.cooling ? room.coolingW : 0);
  const steps = Math.max(1, Math.ceil(seconds / MAX_STEP_S));
  const stepS = seconds / steps;
  let { airC, massC } = air;
  for (let step = 0; step < steps; step++) {
    const [airNow, massNow] = slopes(room, airC, massC, load.outdoorC, heatW);
    const [airThen, massThen] = slopes(room, airC + airNow * stepS, massC + massNow * stepS, load.outdoorC, heatW);
    airC += ((airNow + airThen) / 2) * stepS;
    massC += ((massNow + massThen) / 2) * stepS;
  }
  const exchanged = 1 - Math.exp((-room.airChangesPerH * seconds) / 3600);
  const airFlowM3PerH = room.volumeM3 * room.airChangesPerH;
  const co2Settled = OUTDOOR_CO2_PPM + (load.people * PERSON_CO2_L_PER_S * 3.6e6) / airFlowM3PerH;
  const waterSettled = load.outdoorWaterGPerM3 + (load.people * PERSON_WATER_G_PER_H) / airFlowM3PerH;
  const water = air.waterGPerM3 + (waterSettled - air.waterGPerM3) * exchanged;
  return {
    airC,
    massC,
    co2Ppm: air.co2Ppm + (co2Settled - air.co2Ppm) * exchanged,
    // What is more than the air can hold runs down the window.
    waterGPerM3: Math.min(water, saturationGPerM3(airC)),
  };
}

function slopes(room: RoomParameters, airC: number, massC: number, outdoorC: number, heatW: number): [number, number] {
  const fromMassW = room.airToMassWPerK * (massC - airC);
  return [
    (fromMassW + room.airToOutdoorsWPerK * (outdoorC - airC) + heatW) / room.airJPerK,
    (-fromMassW + room.massToOutdoorsWPerK * (outdoorC - massC)) / room.massJPerK,
  ];
}

/** Water that saturated air holds, g/m³: Magnus formula (WMO-No. 8: 6.112 hPa, 17.62, 243.12 °C) and the gas law. */
export function saturationGPerM3(celsius: number): number {
  const vapourHPa = 6.112 * Math.exp((17.62 * celsius) / (243.12 + celsius));
  return (216.7 * vapourHPa) / (273.15 + celsius);
}

/** % relative humidity. */
export function relativeHumidity(air: RoomAir): number {
  return Math.min(100, (100 * air.waterGPerM3) / saturationGPerM3(air.airC));
}

export interface Weather {
  /** Mean of the year, °C. */
  readonly meanC: number;
  /** Half the difference between July and January, K. */
  readonly yearSwingK: number;
  /** Half the difference between afternoon and dawn, K. */
  readonly daySwingK: number;
  /** % */
  readonly humidity: number;
}

/** Roughly a town in the middle of Europe. */
export const TEMPERATE: Weather = { meanC: 10, yearSwingK: 10, daySwingK: 4, humidity: 75 };

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;
/** The coldest day and hour: 20 January, 05:00. */
const COLDEST_MS = 19 * DAY_MS;
const COLDEST_HOUR_MS = 5 * 3_600_000;

/** Outdoor temperature by the time of year and day (UTC), °C. */
export function outdoorTemperature(wallMs: number, weather: Weather = TEMPERATE): number {
  const year = Math.cos((2 * Math.PI * (wallMs - COLDEST_MS)) / YEAR_MS);
  const day = Math.cos((2 * Math.PI * (wallMs - COLDEST_HOUR_MS)) / DAY_MS);
  return weather.meanC - weather.yearSwingK * year - weather.daySwingK * day;
}

/** Light through the window, lx: none from 18:00 to 06:00 UTC, most at noon. */
export function daylightLux(wallMs: number): number {
  const hourAngle = Math.cos((2 * Math.PI * (wallMs - DAY_MS / 2)) / DAY_MS);
  return Math.max(0, hourAngle) * 400;
}
